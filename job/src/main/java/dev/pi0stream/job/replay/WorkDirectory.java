package dev.pi0stream.job.replay;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.pi0stream.schemas.ContainerFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Where a replay keeps what it has, so that it can be stopped and go on:
 *
 * <pre>
 * replay.json    what is replayed; another replay may not go on here
 * checkpoints/   of the job
 * chunks/        answers, as Avro container files
 * outcomes/
 * finished       there when the job has ended
 * </pre>
 */
final class WorkDirectory {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private final Path root;

  private WorkDirectory(Path root) {
    this.root = root;
  }

  /**
   * Opens a directory for a replay, made if it is not there. What a replay left that cannot go on
   * is removed.
   *
   * @param replay what is replayed, as JSON
   * @throws IllegalArgumentException when it holds another replay, or something else
   */
  static WorkDirectory open(Path root, ObjectNode replay) throws IOException {
    WorkDirectory work = new WorkDirectory(root.toAbsolutePath().normalize());
    Files.createDirectories(work.root);
    Path identity = work.root.resolve("replay.json");
    if (Files.exists(identity)) {
      // Written and read once more, so that numbers are of the types that reading gives them.
      work.requireSame(
          JSON.readTree(identity.toFile()), JSON.readTree(JSON.writeValueAsString(replay)));
    } else {
      try (Stream<Path> entries = Files.list(work.root)) {
        entries
            .findFirst()
            .ifPresent(
                entry -> {
                  throw new IllegalArgumentException(
                      "--work %s holds %s, which is no replay's: expected an empty folder"
                          .formatted(root, entry.getFileName()));
                });
      }
      Files.writeString(identity, JSON.writeValueAsString(replay));
    }
    if (!work.isFinished() && work.lastCheckpoint().isEmpty()) {
      // Answers that no checkpoint knows of would come again.
      work.clear(work.chunks());
      work.clear(work.outcomes());
    }
    Files.createDirectories(work.chunks());
    Files.createDirectories(work.outcomes());
    Files.createDirectories(work.checkpoints());
    return work;
  }

  private void requireSame(JsonNode there, JsonNode here) {
    for (Map.Entry<String, JsonNode> field : here.properties()) {
      JsonNode other = there.path(field.getKey());
      if (!other.equals(field.getValue())) {
        throw new IllegalArgumentException(
            "--work %s holds another replay: its %s is %s, here it is %s"
                .formatted(root, field.getKey(), other, field.getValue()));
      }
    }
  }

  Path root() {
    return root;
  }

  /** A name for this place, the same whenever it is opened. */
  String identity() {
    return UUID.nameUUIDFromBytes(root.toString().getBytes(StandardCharsets.UTF_8)).toString();
  }

  Path checkpoints() {
    return root.resolve("checkpoints");
  }

  Path chunks() {
    return root.resolve("chunks");
  }

  Path outcomes() {
    return root.resolve("outcomes");
  }

  /** Whether the job has ended, so that every answer is here. */
  boolean isFinished() {
    return Files.exists(root.resolve("finished"));
  }

  /** Notes that the job has ended; its checkpoints are of no use any more. */
  void finish() throws IOException {
    Files.writeString(root.resolve("finished"), "");
    clear(checkpoints());
  }

  /** The newest checkpoint that is complete. */
  Optional<String> lastCheckpoint() throws IOException {
    if (!Files.isDirectory(checkpoints())) {
      return Optional.empty();
    }
    try (Stream<Path> files = Files.walk(checkpoints())) {
      // The metadata are written last.
      return files
          .filter(file -> file.getFileName().toString().equals("_metadata"))
          .max(Comparator.comparingLong(WorkDirectory::modified))
          .map(file -> file.getParent().toUri().toString());
    }
  }

  /** The files of a folder that are complete, by name. */
  static List<Path> containers(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> file.getFileName().toString().endsWith(".avro"))
          .filter(file -> !file.getFileName().toString().startsWith("."))
          .sorted()
          .toList();
    }
  }

  /** How many answers are here for good. */
  long answers() throws IOException {
    return records(chunks()) + records(outcomes());
  }

  /** How many records the complete files of a folder hold. */
  private static long records(Path directory) throws IOException {
    long count = 0;
    for (Path file : containers(directory)) {
      count += ContainerFile.count(file);
    }
    return count;
  }

  private static long modified(Path file) {
    try {
      return Files.getLastModifiedTime(file).toMillis();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void clear(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
