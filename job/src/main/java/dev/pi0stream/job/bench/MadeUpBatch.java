package dev.pi0stream.job.bench;

import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Observations that no robot made: numbers of the right shapes, always the same ones. */
public final class MadeUpBatch {
  private static final long SEED = 20_240_724;

  private final Policy policy;
  private final int cameras;
  private final int tokens;
  private final SplittableRandom random = new SplittableRandom(SEED);

  private MadeUpBatch(Policy policy, int cameras, int tokens) {
    this.policy = policy;
    this.cameras = cameras;
    this.tokens = tokens;
  }

  /**
   * A batch for a policy.
   *
   * @param cameras of each robot
   * @param tokens of each prompt
   * @param robots rows of the batch
   */
  public static List<Sample> of(Policy policy, int cameras, int tokens, int robots) {
    MadeUpBatch batch = new MadeUpBatch(policy, cameras, tokens);
    return IntStream.range(0, robots).mapToObj(_ -> batch.sample()).toList();
  }

  private Sample sample() {
    int side = policy.config().imageResolution();
    List<ModelInput.Image> images = new ArrayList<>();
    for (int i = 0; i < cameras; i++) {
      float[] pixels = new float[3 * side * side];
      for (int k = 0; k < pixels.length; k++) {
        pixels[k] = (float) (2 * random.nextDouble() - 1);
      }
      images.add(new ModelInput.Image("camera" + i, pixels));
    }
    int vocabulary = policy.dimensions().vocabulary();
    int[] ids = random.ints(tokens, 0, vocabulary).toArray();
    float[] state = gaussian(policy.stateNumbers());
    float[] noise = gaussian(policy.chunkNumbers());
    return new Sample(new ModelInput(images, ids, state), noise, null);
  }

  private float[] gaussian(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
