package dev.pi0stream.model.text;

import java.util.Arrays;
import java.util.Objects;

/**
 * Turns instructions into the token ids of one policy.
 *
 * @param limit the most tokens that the policy takes, its beginning-of-sequence token counted
 */
public record Prompts(Tokenizer tokenizer, PromptFormat format, int limit) {
  public Prompts {
    Objects.requireNonNull(tokenizer, "tokenizer");
    Objects.requireNonNull(format, "format");
    if (limit < 1) {
      throw new IllegalArgumentException("prompt limit " + limit + ": expected 1 or more");
    }
  }

  /**
   * A prompt as tokens.
   *
   * @param tokens all of them, with the beginning-of-sequence token
   * @param limit the most that the policy takes
   */
  public record Prompt(int[] tokens, int limit) {
    /** Whether the policy takes all of it. */
    public boolean fits() {
      return tokens.length <= limit;
    }

    /**
     * What the policy takes: too long a prompt loses its end, as in LeRobot. That of π0 loses its
     * newline, that of π0.5 its state; callers that serve robots ask {@link #fits()} before.
     */
    public int[] cut() {
      return fits() ? tokens : Arrays.copyOf(tokens, limit);
    }
  }

  /**
   * The prompt of an instruction.
   *
   * @param state the robot's own dimensions, normalised, without padding; only π0.5 reads it
   * @throws IllegalArgumentException if the instruction has half a surrogate pair
   */
  public Prompt prompt(String instruction, double[] state) {
    return new Prompt(format.encode(tokenizer, format.text(instruction, state)), limit);
  }
}
