package dev.pi0stream.device.foreign;

import java.nio.file.Path;
import java.util.Map;

/** Where the project keeps what it can make again, such as native libraries. */
public final class UserCache {
  private UserCache() {}

  /**
   * The user's folder for it, which need not exist: {@code pi0-stream} in {@code XDG_CACHE_HOME},
   * or in {@code ~/.cache}.
   */
  public static Path directory(Map<String, String> environment) {
    String cache = environment.getOrDefault("XDG_CACHE_HOME", "");
    Path user =
        cache.isBlank() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(cache);
    return user.resolve("pi0-stream");
  }
}
