package dev.pi0stream.job.configuration;

import java.util.Optional;

/**
 * A setting.
 *
 * @param key its place in the file, such as {@code policy.device}
 * @param kind what its value may be
 * @param fallback its value where the file does not say it; empty where there is none
 * @param description sentences for the reference page
 * @param <T> of its value
 */
public record Setting<T>(String key, ValueKind<T> kind, Optional<T> fallback, String description) {
  static <T> Setting<T> of(String key, ValueKind<T> kind, T fallback, String description) {
    return new Setting<>(key, kind, Optional.of(fallback), description);
  }

  static <T> Setting<T> withoutFallback(String key, ValueKind<T> kind, String description) {
    return new Setting<>(key, kind, Optional.empty(), description);
  }

  /** The part of the file that it belongs to. */
  String section() {
    return key.substring(0, key.lastIndexOf('.'));
  }

  /** Its name within its part. */
  String name() {
    return key.substring(key.lastIndexOf('.') + 1);
  }
}
