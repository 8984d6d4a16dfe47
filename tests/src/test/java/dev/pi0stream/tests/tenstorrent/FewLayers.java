package dev.pi0stream.tests.tenstorrent;

import dev.pi0stream.device.Parameter;
import dev.pi0stream.model.checkpoint.Dimensions;
import dev.pi0stream.model.checkpoint.PolicyConfig;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import dev.pi0stream.model.checkpoint.Weights;

/**
 * A policy of full width without most of its layers, which are all alike, and with a small
 * vocabulary.
 */
record FewLayers(PolicyWeights whole, int layers) implements PolicyWeights {
  private static final int VOCABULARY = 4096;

  @Override
  public PolicyConfig config() {
    return whole.config();
  }

  @Override
  public Dimensions dimensions() {
    Dimensions all = whole.dimensions();
    Dimensions.Vision vision = all.vision();
    return new Dimensions(
        new Dimensions.Vision(
            vision.width(), vision.mlp(), layers, vision.heads(), vision.patch(), vision.grid()),
        fewer(all.language()),
        fewer(all.expert()),
        VOCABULARY,
        all.ropeBase(),
        all.rmsNormEpsilon(),
        all.layerNormEpsilon());
  }

  private Dimensions.Stack fewer(Dimensions.Stack stack) {
    return new Dimensions.Stack(stack.width(), stack.mlp(), layers, stack.heads());
  }

  @Override
  public Weights weights() {
    return whole.weights();
  }

  /** Those of the whole policy: only who shows how far loading is asks. */
  @Override
  public long usedParameters() {
    return whole.usedParameters();
  }

  @Override
  public Parameter embedding() {
    int width = whole.dimensions().language().width();
    return Parameter.of("few", VOCABULARY, width, new float[VOCABULARY * width]);
  }
}
