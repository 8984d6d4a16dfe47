package dev.pi0stream.model.text;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The entries of a byte-pair encoding. Their texts lie in one array of bytes, so that the 256,000
 * of Gemma cost three megabytes and not forty; only single characters and bytes are ever looked up
 * by text, since everything longer comes from {@link Merges}.
 */
final class Vocabulary {
  /** What a look-up gives when there is no such entry. */
  static final int NONE = -1;

  private final byte[] texts;
  private final int[] ends;
  private final int[] characters;
  private final int[] characterIds;
  private final int[] byteIds;

  /**
   * Entries by id.
   *
   * @param entries text → id; ids are not negative and unique
   * @param size larger than every id
   * @param byteFallback entries such as {@code <0xE2>} stand for bytes of characters without one
   */
  Vocabulary(Map<String, Integer> entries, int size, boolean byteFallback) {
    String[] byId = new String[size];
    SortedMap<Integer, Integer> single = new TreeMap<>();
    int bytes = 0;
    for (Map.Entry<String, Integer> entry : entries.entrySet()) {
      String text = entry.getKey();
      byId[entry.getValue()] = text;
      bytes += text.getBytes(UTF_8).length;
      if (!text.isEmpty() && text.codePointCount(0, text.length()) == 1) {
        single.put(text.codePointAt(0), entry.getValue());
      }
    }
    texts = new byte[bytes];
    ends = new int[size];
    int end = 0;
    for (int id = 0; id < size; id++) {
      if (byId[id] != null) {
        byte[] text = byId[id].getBytes(UTF_8);
        System.arraycopy(text, 0, texts, end, text.length);
        end += text.length;
      }
      ends[id] = end;
    }
    characters = single.keySet().stream().mapToInt(Integer::intValue).toArray();
    characterIds = single.values().stream().mapToInt(Integer::intValue).toArray();
    byteIds = new int[256];
    Arrays.fill(byteIds, NONE);
    if (byteFallback) {
      for (int value = 0; value < byteIds.length; value++) {
        String text = String.format(Locale.ROOT, "<0x%02X>", value);
        byteIds[value] = entries.getOrDefault(text, NONE);
      }
    }
  }

  /** One more than the largest id. */
  int size() {
    return ends.length;
  }

  /** The text of an entry; empty where there is none with this id. */
  String text(int id) {
    int start = id == 0 ? 0 : ends[id - 1];
    return new String(texts, start, ends[id] - start, UTF_8);
  }

  /** The entry that is this one character, or {@link #NONE}. */
  int character(int codePoint) {
    int at = Arrays.binarySearch(characters, codePoint);
    return at < 0 ? NONE : characterIds[at];
  }

  /** The entry that stands for a byte of a character without an entry, or {@link #NONE}. */
  int byteFallback(byte value) {
    return byteIds[Byte.toUnsignedInt(value)];
  }
}
