package dev.pi0stream.job.replay;

import dev.pi0stream.schemas.ContainerFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * A recording of a live job, as {@code pi0 run --record} writes it: folders {@code observations},
 * {@code chunks} and {@code outcomes} of Avro container files.
 *
 * @param files of the observations topic, one or more for each partition
 * @param observations how many records they hold
 */
public record Recording(Path root, List<Path> files, long observations) {
  private static final String OBSERVATIONS = "observations";

  /** Whether a directory is a recording rather than a dataset. */
  public static boolean isOne(Path root) {
    return Files.isDirectory(root.resolve(OBSERVATIONS));
  }

  /**
   * Opens a recording.
   *
   * @throws IllegalArgumentException when it holds no observation or a file is broken
   */
  static Recording open(Path root) throws IOException {
    List<Path> files =
        WorkDirectory.containers(root.resolve(OBSERVATIONS)).stream()
            .map(file -> file.toAbsolutePath().normalize())
            .toList();
    long observations = 0;
    for (Path file : files) {
      observations += count(file);
    }
    if (observations == 0) {
      throw new IllegalArgumentException(root + " is a recording without observations");
    }
    return new Recording(root, files, observations);
  }

  private static long count(Path file) {
    try {
      return ContainerFile.count(file);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "%s cannot be read as an Avro container file of observations: %s"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  /** Refuses what only a dataset can be asked for. */
  void refuse(ReplaySettings settings, ReplayOutputs outputs) {
    if (settings.episodes().isPresent()
        || !settings.window().equals(FrameWindow.ALL)
        || !settings.cameras().isEmpty()
        || settings.prompt().isPresent()
        || settings.samples() != 1
        || outputs.against().isPresent()
        || outputs.report().isPresent()
        || outputs.lerobot().isPresent()) {
      throw new IllegalArgumentException(
          "%s is a recording, which is replayed as it is: --episodes, --from, --to, --stride, --camera, --prompt, --samples, --against, --report and --lerobot are for datasets"
              .formatted(root));
    }
  }

  /** The live job's chunks, if they were recorded. */
  Optional<Path> chunks() {
    return Optional.of(root.resolve("chunks")).filter(Files::isDirectory);
  }

  /** The container files of chunks that a path stands for: itself, or those in it. */
  static List<Path> chunkFiles(Path path) throws IOException {
    if (Files.isDirectory(path.resolve("chunks"))) {
      return WorkDirectory.containers(path.resolve("chunks"));
    }
    if (Files.isDirectory(path)) {
      return WorkDirectory.containers(path);
    }
    if (!Files.isRegularFile(path)) {
      throw new IllegalArgumentException(path + " is not there");
    }
    return List.of(path);
  }

  /** SHA-256 over the files. */
  String digest() throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Path file : files) {
        try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
          in.transferTo(OutputStream.nullOutputStream());
        }
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
