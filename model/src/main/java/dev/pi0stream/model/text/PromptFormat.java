package dev.pi0stream.model.text;

import java.util.Arrays;

/** The form in which a policy was taught its instructions. */
public enum PromptFormat {
  /**
   * π0 of LeRobot ({@code processor_pi0.py}): the instruction as it is, and a newline unless it
   * ends with one.
   */
  PI0_LEROBOT {
    @Override
    public String text(String instruction, double[] state) {
      return instruction.endsWith("\n") ? instruction : instruction + "\n";
    }
  },

  /**
   * π0 of openpi ({@code tokenizer.py}): without white space around it, underscores and newlines as
   * spaces, and a newline that is tokenised by itself.
   */
  PI0_OPENPI {
    @Override
    public String text(String instruction, double[] state) {
      return cleaned(instruction) + "\n";
    }

    @Override
    int[] encode(Tokenizer tokenizer, String text) {
      int[] ids = tokenizer.encode(text.substring(0, text.length() - 1));
      int[] newline = tokenizer.encodeWithoutPrefix("\n");
      int[] all = Arrays.copyOf(ids, ids.length + newline.length);
      System.arraycopy(newline, 0, all, ids.length, newline.length);
      return all;
    }
  },

  /**
   * π0.5 of both ({@code processor_pi05.py}, {@code tokenizer.py}): cleaned as openpi does, with
   * the state in {@link StateBins}.
   */
  PI05 {
    @Override
    public String text(String instruction, double[] state) {
      return "Task: %s, State: %s;\nAction: "
          .formatted(cleaned(instruction), StateBins.text(state));
    }
  };

  /**
   * The text that is tokenised.
   *
   * @param instruction as a person wrote it
   * @param state the robot's own dimensions, normalised, without padding; only π0.5 reads it
   */
  public abstract String text(String instruction, double[] state);

  int[] encode(Tokenizer tokenizer, String text) {
    return tokenizer.encode(text);
  }

  private static String cleaned(String instruction) {
    int start = 0;
    int end = instruction.length();
    while (start < end && isPythonSpace(instruction.charAt(start))) {
      start++;
    }
    while (start < end && isPythonSpace(instruction.charAt(end - 1))) {
      end--;
    }
    return instruction.substring(start, end).replace('_', ' ').replace('\n', ' ');
  }

  /** What Python's {@code str.strip} takes away; Java's leaves no-break spaces and U+0085. */
  private static boolean isPythonSpace(char c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
  }
}
