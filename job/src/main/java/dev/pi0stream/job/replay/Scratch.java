package dev.pi0stream.job.replay;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The folder of a replay: one that stays, or one that goes when it is closed. */
record Scratch(Path root, boolean temporary) implements AutoCloseable {
  static Scratch of(Optional<Path> kept) throws IOException {
    if (kept.isPresent()) {
      Files.createDirectories(kept.get());
      return new Scratch(kept.get().toAbsolutePath().normalize(), false);
    }
    return new Scratch(Files.createTempDirectory("pi0-replay-"), true);
  }

  @Override
  public void close() throws IOException {
    if (temporary) {
      List<Path> files;
      try (Stream<Path> all = Files.walk(root)) {
        files = all.sorted(Comparator.reverseOrder()).toList();
      }
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
    }
  }
}
