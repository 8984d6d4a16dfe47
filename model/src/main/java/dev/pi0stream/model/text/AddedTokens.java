package dev.pi0stream.model.text;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds added tokens in a text, leftmost first and of those the longest, without overlaps: {@code
 * AddedVocabulary::find_matches} of Hugging Face's tokenizers.
 */
final class AddedTokens {
  private final Node root = new Node();

  /** A step of the search: the characters that may follow, and the token that ends here. */
  private static final class Node {
    final Map<Character, Node> children = new HashMap<>();
    AddedToken token;
  }

  /**
   * A part of a text.
   *
   * @param token the added token that it is; null for text in between
   */
  record Piece(String text, AddedToken token) {}

  /** Adds a token under the text that is looked for. */
  void add(String pattern, AddedToken token) {
    Node node = root;
    for (int i = 0; i < pattern.length(); i++) {
      node = node.children.computeIfAbsent(pattern.charAt(i), _ -> new Node());
    }
    node.token = token;
  }

  /** The text as added tokens and what is in between, in order. */
  List<Piece> split(String text) {
    List<Piece> pieces = new ArrayList<>();
    int done = 0;
    for (int at = 0; at < text.length(); ) {
      Match match = match(text, at);
      if (match == null) {
        at++;
        continue;
      }
      AddedToken token = match.token();
      int start = at;
      int stop = match.end();
      at = stop;
      if (token.singleWord() && (wordBefore(text, start) || wordAt(text, stop))) {
        continue;
      }
      while (token.lstrip() && start > done && isSpace(text.charAt(start - 1))) {
        start--;
      }
      while (token.rstrip() && stop < text.length() && isSpace(text.charAt(stop))) {
        stop++;
      }
      if (done < start) {
        pieces.add(new Piece(text.substring(done, start), null));
      }
      pieces.add(new Piece(text.substring(start, stop), token));
      done = stop;
    }
    if (done < text.length()) {
      pieces.add(new Piece(text.substring(done), null));
    }
    return pieces;
  }

  /** A token that was found, and where it ends. */
  private record Match(AddedToken token, int end) {}

  /** The longest token that begins here; null if none does. */
  private Match match(String text, int start) {
    Match match = null;
    Node node = root;
    for (int i = start; i < text.length(); i++) {
      node = node.children.get(text.charAt(i));
      if (node == null) {
        break;
      }
      if (node.token != null) {
        match = new Match(node.token, i + 1);
      }
    }
    return match;
  }

  private static boolean wordBefore(String text, int index) {
    return index > 0 && isWord(text.codePointBefore(index));
  }

  private static boolean wordAt(String text, int index) {
    return index < text.length() && isWord(text.codePointAt(index));
  }

  /** The class {@code \w} of Rust's regular expressions. */
  private static boolean isWord(int codePoint) {
    if (Character.isAlphabetic(codePoint) || codePoint == 0x200C || codePoint == 0x200D) {
      return true;
    }
    return switch (Character.getType(codePoint)) {
      case Character.NON_SPACING_MARK,
          Character.COMBINING_SPACING_MARK,
          Character.ENCLOSING_MARK,
          Character.DECIMAL_DIGIT_NUMBER,
          Character.CONNECTOR_PUNCTUATION ->
          true;
      default -> false;
    };
  }

  /** The class {@code \s} of Rust's regular expressions: Unicode's White_Space. */
  private static boolean isSpace(char c) {
    return (c >= '\t' && c <= '\r') || c == '\u0085' || Character.isSpaceChar(c);
  }
}
