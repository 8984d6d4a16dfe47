package dev.pi0stream.model.text;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Gemma's tokenizer: byte-pair encoding with byte fallback over a {@code tokenizer.json} of Hugging
 * Face's tokenizers, with the same ids for every text. Safe for use by many threads.
 */
public final class Tokenizer {
  private final Vocabulary vocabulary;
  private final Merges merges;
  private final int unknown;
  private final boolean fuseUnknown;
  private final List<Replacement> normalizer;
  private final Map<Integer, AddedToken> addedById;
  private final AddedTokens raw = new AddedTokens();
  private final AddedTokens normalized = new AddedTokens();
  private final int[] prefix;
  private final List<DecoderStep> decoder;

  /** Every occurrence of a text becomes another one. */
  record Replacement(String pattern, String content) {
    String apply(String text) {
      return text.replace(pattern, content);
    }
  }

  /** A step on the way from entries to text. */
  sealed interface DecoderStep {
    /** Replaces a text inside each entry. */
    record Replace(Replacement replacement) implements DecoderStep {}

    /** Joins entries such as {@code <0xE2>} into characters; U+FFFD for bytes that are none. */
    record ByteFallback() implements DecoderStep {}

    /** Makes one entry of all. */
    record Fuse() implements DecoderStep {}
  }

  /**
   * What a {@code tokenizer.json} says.
   *
   * @param unknown id for characters that neither an entry nor bytes can stand for, or {@link
   *     Vocabulary#NONE} where there are none
   * @param fuseUnknown neighbouring unknown characters share one id
   * @param prefix ids that the post-processor puts before every text
   */
  record Parts(
      Vocabulary vocabulary,
      Merges merges,
      int unknown,
      boolean fuseUnknown,
      List<Replacement> normalizer,
      List<AddedToken> added,
      int[] prefix,
      List<DecoderStep> decoder) {}

  Tokenizer(Parts parts) {
    vocabulary = parts.vocabulary();
    merges = parts.merges();
    unknown = parts.unknown();
    fuseUnknown = parts.fuseUnknown();
    normalizer = parts.normalizer();
    prefix = parts.prefix();
    decoder = parts.decoder();
    Map<Integer, AddedToken> byId = new HashMap<>();
    for (AddedToken token : parts.added()) {
      byId.put(token.id(), token);
      if (token.normalized()) {
        normalized.add(normalize(token.content()), token);
      } else {
        raw.add(token.content(), token);
      }
    }
    addedById = Map.copyOf(byId);
  }

  /**
   * Reads a {@code tokenizer.json}.
   *
   * @throws TokenizerException if it is not there, broken, or asks for something that Gemma's
   *     tokenizers do not
   */
  public static Tokenizer read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return new TokenizerReader(file.toString()).read(in);
    } catch (NoSuchFileException e) {
      throw new TokenizerException(
          file + ": there is no such file; expected the tokenizer.json of PaliGemma", e);
    } catch (IOException e) {
      throw new TokenizerException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** One more than the largest id that text without added tokens can have. */
  public int vocabularySize() {
    return vocabulary.size();
  }

  /** One more than the largest id, that of an added token or not. */
  public int size() {
    int largest = vocabulary.size() - 1;
    for (int id : addedById.keySet()) {
      largest = Math.max(largest, id);
    }
    return largest + 1;
  }

  /**
   * The ids of a text after those that begin every sequence ({@code <bos>}).
   *
   * @throws IllegalArgumentException if the text has half a surrogate pair
   */
  public int[] encode(String text) {
    return encode(text, prefix);
  }

  /**
   * The ids of a text alone.
   *
   * @throws IllegalArgumentException if the text has half a surrogate pair
   */
  public int[] encodeWithoutPrefix(String text) {
    return encode(text, new int[0]);
  }

  private int[] encode(String text, int[] before) {
    refuseHalfCharacters(text);
    Ids ids = new Ids(before.length + text.length() + 8);
    ids.add(before, before.length);
    for (AddedTokens.Piece piece : raw.split(text)) {
      if (piece.token() != null) {
        ids.add(piece.token().id());
        continue;
      }
      for (AddedTokens.Piece part : normalized.split(normalize(piece.text()))) {
        if (part.token() != null) {
          ids.add(part.token().id());
        } else {
          Ids word = characters(part.text());
          ids.add(word.values, merges.apply(word.values, word.count));
        }
      }
    }
    return ids.toArray();
  }

  private String normalize(String text) {
    String result = text;
    for (Replacement replacement : normalizer) {
      result = replacement.apply(result);
    }
    return result;
  }

  /** The ids of the single characters of a text: {@code BPE::merge_word} before its merges. */
  private Ids characters(String text) {
    Ids ids = new Ids(text.length() + 8);
    boolean pending = false; // an unknown character has no id yet; the next may share it
    for (int i = 0; i < text.length(); ) {
      int codePoint = text.codePointAt(i);
      i += Character.charCount(codePoint);
      int id = vocabulary.character(codePoint);
      if (id == Vocabulary.NONE && addBytes(ids, codePoint)) {
        continue;
      }
      if (pending && (id != Vocabulary.NONE || !fuseUnknown)) {
        ids.add(unknown);
      }
      pending = id == Vocabulary.NONE;
      if (!pending) {
        ids.add(id);
      }
    }
    if (pending) {
      ids.add(unknown);
    }
    return ids;
  }

  /** Adds the ids of a character's bytes, if there is one for each. */
  private boolean addBytes(Ids ids, int codePoint) {
    byte[] bytes = Character.toString(codePoint).getBytes(UTF_8);
    for (byte value : bytes) {
      if (vocabulary.byteFallback(value) == Vocabulary.NONE) {
        return false;
      }
    }
    for (byte value : bytes) {
      ids.add(vocabulary.byteFallback(value));
    }
    return true;
  }

  private static void refuseHalfCharacters(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        throw new IllegalArgumentException(
            "text has half a surrogate pair (U+%04X) at index %d: expected whole characters"
                .formatted((int) c, i));
      }
    }
  }

  /**
   * The text of ids, without special tokens.
   *
   * @throws IllegalArgumentException if there is no entry with one of the ids
   */
  public String decode(int[] ids) {
    List<String> entries = new ArrayList<>();
    for (int id : ids) {
      AddedToken token = addedById.get(id);
      if (token == null) {
        entries.add(entry(id));
      } else if (!token.special()) {
        entries.add(token.content());
      }
    }
    for (DecoderStep step : decoder) {
      switch (step) {
        case DecoderStep.Replace replace -> entries.replaceAll(replace.replacement()::apply);
        case DecoderStep.ByteFallback _ -> entries = joinBytes(entries);
        case DecoderStep.Fuse _ -> entries = List.of(String.join("", entries));
      }
    }
    return String.join("", entries);
  }

  private String entry(int id) {
    String text = id < 0 || id >= vocabulary.size() ? "" : vocabulary.text(id);
    if (text.isEmpty()) {
      throw new IllegalArgumentException(
          "token id %d is not in the vocabulary of %d entries".formatted(id, size()));
    }
    return text;
  }

  private static List<String> joinBytes(List<String> entries) {
    List<String> joined = new ArrayList<>();
    byte[] bytes = new byte[entries.size()];
    int count = 0;
    for (String entry : entries) {
      if (entry.length() == 6 && entry.matches("<0x[0-9A-Fa-f]{2}>")) {
        bytes[count++] = (byte) Integer.parseInt(entry.substring(3, 5), 16);
        continue;
      }
      joined.add(characters(bytes, count));
      count = 0;
      joined.add(entry);
    }
    joined.add(characters(bytes, count));
    return joined;
  }

  private static String characters(byte[] bytes, int count) {
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, 0, count)).toString();
    } catch (CharacterCodingException e) {
      return "\uFFFD".repeat(count);
    }
  }

  /** A list of ids that grows. */
  private static final class Ids {
    int[] values;
    int count;

    Ids(int capacity) {
      values = new int[capacity];
    }

    void add(int id) {
      if (count == values.length) {
        values = Arrays.copyOf(values, 2 * count);
      }
      values[count++] = id;
    }

    void add(int[] ids, int length) {
      for (int i = 0; i < length; i++) {
        add(ids[i]);
      }
    }

    int[] toArray() {
      return Arrays.copyOf(values, count);
    }
  }
}
