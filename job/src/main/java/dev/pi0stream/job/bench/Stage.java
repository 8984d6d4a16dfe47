package dev.pi0stream.job.bench;

import java.util.Locale;

/** The three stages of a chunk. */
public enum Stage {
  VISION,
  PREFIX,
  DENOISE;

  /** The name in reports. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
