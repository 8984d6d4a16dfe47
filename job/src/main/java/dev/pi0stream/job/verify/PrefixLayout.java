package dev.pi0stream.job.verify;

import dev.pi0stream.model.policy.ModelInput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where the rows that the policy computed stand in LeRobot's padded prefix: every camera's tokens,
 * cameras that no row of the batch has behind the others, then the prompt, padded at its end.
 */
final class PrefixLayout {
  private final List<ModelInput> inputs;
  private final List<String> cameras;
  private final int imageTokens;
  private final int promptTokens;
  private final int[] starts;

  /**
   * A layout.
   *
   * @param configured all cameras, in the checkpoint's order
   * @param present those of them that the batch has
   * @param imageTokens rows of a camera
   * @param promptTokens rows of the padded prompt
   */
  PrefixLayout(
      List<ModelInput> inputs,
      List<String> configured,
      List<String> present,
      int imageTokens,
      int promptTokens) {
    this.inputs = inputs;
    this.imageTokens = imageTokens;
    this.promptTokens = promptTokens;
    cameras = new ArrayList<>(configured);
    cameras.removeIf(camera -> !present.contains(camera));
    configured.stream().filter(camera -> !present.contains(camera)).forEach(cameras::add);
    starts = new int[inputs.size() + 1];
    for (int row = 0; row < inputs.size(); row++) {
      starts[row + 1] = starts[row] + length(row);
    }
  }

  /** The cameras in LeRobot's order. */
  List<String> cameras() {
    return List.copyOf(cameras);
  }

  /** Rows of a padded prefix. */
  int rows() {
    return cameras.size() * imageTokens + promptTokens;
  }

  /** Rows that the policy computes for a row of the batch. */
  int length(int row) {
    ModelInput input = inputs.get(row);
    return input.images().size() * imageTokens + input.tokens().length;
  }

  /** The first row that the policy computes for a row of the batch, among those of all. */
  int start(int row) {
    return starts[row];
  }

  /** For each row of a padded prefix the row of that sequence that the policy computes, or −1. */
  int[] sources(int row) {
    ModelInput input = inputs.get(row);
    int[] sources = new int[rows()];
    Arrays.fill(sources, -1);
    for (int camera = 0; camera < cameras.size(); camera++) {
      int index = index(input, cameras.get(camera));
      for (int token = 0; index >= 0 && token < imageTokens; token++) {
        sources[camera * imageTokens + token] = index * imageTokens + token;
      }
    }
    int prompt = cameras.size() * imageTokens;
    for (int token = 0; token < input.tokens().length; token++) {
      sources[prompt + token] = input.images().size() * imageTokens + token;
    }
    return sources;
  }

  /** Which rows of the padded prefixes of all the batch are computed. */
  boolean[] valid() {
    boolean[] valid = new boolean[inputs.size() * rows()];
    for (int row = 0; row < inputs.size(); row++) {
      int[] sources = sources(row);
      for (int i = 0; i < sources.length; i++) {
        valid[row * rows() + i] = sources[i] >= 0;
      }
    }
    return valid;
  }

  private static int index(ModelInput input, String camera) {
    for (int i = 0; i < input.images().size(); i++) {
      if (input.images().get(i).camera().equals(camera)) {
        return i;
      }
    }
    return -1;
  }
}
