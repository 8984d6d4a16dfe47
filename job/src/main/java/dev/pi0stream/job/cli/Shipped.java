package dev.pi0stream.job.cli;

import java.nio.file.Path;

/** What comes with the project; the launcher says where that is. */
final class Shipped {
  private Shipped() {}

  /** The trained policy. */
  static Path checkpoint() {
    return example("checkpoint");
  }

  /** The logged episodes. */
  static Path episodes() {
    return example("episodes");
  }

  private static Path example(String name) {
    return Path.of(System.getProperty("pi0.home", ""), "examples", name);
  }
}
