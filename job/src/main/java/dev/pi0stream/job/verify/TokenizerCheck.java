package dev.pi0stream.job.verify;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.model.text.Tokenizer;
import dev.pi0stream.model.text.TokenizerException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** Files of texts, their ids and what the ids decode to. */
final class TokenizerCheck {
  private final Golden golden;
  private final List<Path> tokenizers;

  /**
   * A check.
   *
   * @param tokenizers {@code tokenizer.json} files from elsewhere, for what the folder does not
   *     hold; told apart by their SHA-256
   */
  TokenizerCheck(Golden golden, List<Path> tokenizers) {
    this.golden = golden;
    this.tokenizers = tokenizers;
  }

  void run(String file, Comparisons comparisons) {
    JsonNode texts = Golden.json(golden.resolve(file));
    String named = texts.path("tokenizer").asText();
    String digest = texts.path("sha256").asText();
    Optional<Path> source = find(named, digest);
    if (source.isEmpty()) {
      comparisons.skip(
          file,
          "its tokenizer is not in the folder; --tokenizer FILE gives it (SHA-256 %s)"
              .formatted(digest));
      return;
    }
    Tokenizer tokenizer;
    try {
      tokenizer = Tokenizer.read(source.get());
    } catch (TokenizerException e) {
      comparisons.fail(file, "tokenizer", e);
      return;
    }
    int cases = texts.path("cases").size();
    Tally ids = new Tally(cases);
    Tally decoded = new Tally(cases);
    for (JsonNode entry : texts.path("cases")) {
      String text = entry.path("text").asText();
      int[] expected = integers(entry.path("ids"));
      int[] computed = tokenizer.encode(text);
      ids.count(
          Arrays.equals(computed, expected),
          text,
          Arrays.toString(computed),
          Arrays.toString(expected));
      if (entry.has("decoded")) {
        String back = tokenizer.decode(expected);
        String wanted = entry.path("decoded").asText();
        decoded.count(back.equals(wanted), text, quoted(back), quoted(wanted));
      }
    }
    if (texts.has("entries")) {
      int entries = texts.path("entries").asInt();
      comparisons.same(
          file,
          "entries",
          tokenizer.size() == entries,
          "%d entries, expected %d".formatted(tokenizer.size(), entries));
    }
    ids.report(comparisons, file, "ids");
    decoded.report(comparisons, file, "decoded");
  }

  private Optional<Path> find(String named, String digest) {
    if (named.endsWith(".json") && Files.isRegularFile(golden.resolve(named))) {
      return Optional.of(golden.resolve(named));
    }
    return tokenizers.stream().filter(path -> sha256(path).equals(digest)).findFirst();
  }

  private static String sha256(Path file) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
        in.transferTo(java.io.OutputStream.nullOutputStream());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new GoldenException(
          "--tokenizer %s: cannot be read: %s".formatted(file, e.getMessage()), e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private static int[] integers(JsonNode array) {
    int[] integers = new int[array.size()];
    for (int i = 0; i < integers.length; i++) {
      integers[i] = array.get(i).intValue();
    }
    return integers;
  }

  private static String quoted(String text) {
    return '"' + text + '"';
  }

  /** Counts what differs and remembers the first. */
  private static final class Tally {
    private final int cases;
    private int checked;
    private int different;
    private String first;

    Tally(int cases) {
      this.cases = cases;
    }

    void count(boolean same, String text, String computed, String expected) {
      checked++;
      if (!same) {
        different++;
        if (first == null) {
          first = "\"%s\" gives %s, expected %s".formatted(text, computed, expected);
        }
      }
    }

    void report(Comparisons comparisons, String file, String component) {
      if (checked > 0) {
        comparisons.same(
            file,
            component,
            different == 0,
            "%d of %d texts differ; %s".formatted(different, cases, first));
      }
    }
  }
}
