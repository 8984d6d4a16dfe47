package dev.pi0stream.device.cpu;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.foreign.UserCache;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * oneDNN's shared library, as the jar {@code org.bytedeco:dnnl} carries it for one platform. It is
 * copied once to a cache directory whose name holds the library's checksum, by way of a directory
 * of its own that is renamed when it is complete: processes that start together do not disturb each
 * other, and what is in the cache is never half a library. A user without a home gets a directory
 * for this process, which is deleted when the library is loaded.
 */
final class NativeLibrary {
  /** Overrides the directory that native libraries are copied to. */
  static final String CACHE_PROPERTY = "pi0.native.cache";

  private static final Logger LOG = LoggerFactory.getLogger(NativeLibrary.class);
  private static final String RESOURCES = "org/bytedeco/dnnl/";

  private NativeLibrary() {}

  /**
   * Loads the library for the rest of the process's life.
   *
   * @throws DeviceException where there is none for this platform, or it cannot be copied or loaded
   */
  @SuppressWarnings("restricted")
  static SymbolLookup load() {
    String platform = platform(System.getProperty("os.name"), System.getProperty("os.arch"));
    boolean mac = platform.startsWith("macosx");
    // The library finds the OpenMP runtime beside it, by its run path; the jar carries one of them.
    List<String> runtimes =
        mac ? List.of("libiomp5.dylib", "libomp.dylib") : List.of("libgomp.so.1");
    String library = mac ? "libdnnl.3.dylib" : "libdnnl.so.3";
    Optional<Path> cache = cache();
    Path directory = cache.orElseGet(NativeLibrary::temporaryDirectory);
    try {
      Path file = extract(platform, library, runtimes, directory);
      WaitPolicy.sleepSoon();
      try {
        return SymbolLookup.libraryLookup(file, Arena.global());
      } catch (IllegalArgumentException e) {
        throw new DeviceException(
            "oneDNN cannot be loaded from %s: it may be made for another system, or a library that"
                    .formatted(file)
                + " it needs (libstdc++, OpenMP) may be missing",
            e);
      }
    } finally {
      // A library that is loaded stays loaded when its file is deleted.
      if (cache.isEmpty()) {
        delete(directory);
      }
    }
  }

  /** The name that the jars give a platform. */
  static String platform(String osName, String osArch) {
    String os = osName.toLowerCase(Locale.ROOT);
    String system = os.startsWith("linux") ? "linux" : os.startsWith("mac") ? "macosx" : null;
    String machine =
        switch (osArch) {
          case "amd64", "x86_64" -> "x86_64";
          case "aarch64", "arm64" -> "arm64";
          default -> null;
        };
    if (system == null || machine == null) {
      throw new DeviceException(
          "device 'cpu' does not run on %s (%s): expected Linux or macOS on x86_64 or arm64"
              .formatted(osName, osArch));
    }
    return system + "-" + machine;
  }

  /**
   * Copies a platform's library out of its jar.
   *
   * @param runtimes copied beside it, as far as the jar has them
   * @return where the library is
   */
  static Path extract(String platform, String library, List<String> runtimes, Path cache) {
    String folder = RESOURCES + platform + "/";
    URL url = NativeLibrary.class.getClassLoader().getResource(folder + library);
    if (url == null) {
      throw new DeviceException(
          "oneDNN is not on the class path: add the jar org.bytedeco:dnnl with the classifier "
              + platform);
    }
    try {
      Path target = cache.resolve("dnnl-%s-%s".formatted(platform, fingerprint(url)));
      Path file = target.resolve(library);
      if (!Files.exists(file)) {
        makePrivate(cache);
        Path copy = Files.createTempDirectory(cache, "dnnl-");
        try {
          for (String runtime : runtimes) {
            copy(folder + runtime, copy.resolve(runtime));
          }
          copy(folder + library, copy.resolve(library));
          publish(copy, target, file);
        } finally {
          delete(copy);
        }
      }
      return file;
    } catch (IOException e) {
      throw new DeviceException(
          "oneDNN cannot be copied to %s (%s): set -D%s to a directory with 100 MB of room"
              .formatted(cache, e, CACHE_PROPERTY),
          e);
    }
  }

  /** Makes a directory that nobody else may put a library into. */
  private static void makePrivate(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(directory);
    if (permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
      throw new IOException("others may write to it");
    }
  }

  /** Something that differs where the library's bytes differ, without reading all of them. */
  private static String fingerprint(URL url) throws IOException {
    URLConnection connection = url.openConnection();
    connection.setUseCaches(false);
    if (connection instanceof JarURLConnection jar) {
      try (var file = jar.getJarFile()) {
        return "%08x".formatted(file.getEntry(jar.getEntryName()).getCrc());
      }
    }
    return "%x-%x".formatted(connection.getContentLengthLong(), connection.getLastModified());
  }

  private static void copy(String resource, Path target) throws IOException {
    try (InputStream in = NativeLibrary.class.getClassLoader().getResourceAsStream(resource)) {
      if (in != null) {
        Files.copy(in, target);
      }
    }
  }

  /** Renames a complete copy, unless another process was faster. */
  private static void publish(Path copy, Path target, Path file) throws IOException {
    try {
      Files.move(copy, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      if (!Files.exists(file)) {
        throw e;
      }
    }
  }

  /** Deletes a directory and what is in it, if it is still there. */
  private static void delete(Path directory) {
    if (Files.exists(directory)) {
      try (Stream<Path> paths = Files.walk(directory)) {
        for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      } catch (IOException e) {
        throw new DeviceException(directory + " cannot be deleted", e);
      }
    }
  }

  /** The user's cache; nothing where there is none that can be written to. */
  private static Optional<Path> cache() {
    String chosen = System.getProperty(CACHE_PROPERTY);
    if (chosen != null) {
      return Optional.of(Path.of(chosen));
    }
    Path directory = UserCache.directory(System.getenv());
    try {
      makePrivate(directory);
      return Optional.of(directory);
    } catch (IOException e) {
      LOG.info("oneDNN is copied anew for this process: no cache in {} ({})", directory, e);
      return Optional.empty();
    }
  }

  private static Path temporaryDirectory() {
    try {
      return Files.createTempDirectory("pi0-stream-");
    } catch (IOException e) {
      throw new DeviceException(
          "no directory to copy oneDNN to (%s): set -D%s to one with 100 MB of room"
              .formatted(e, CACHE_PROPERTY),
          e);
    }
  }
}
