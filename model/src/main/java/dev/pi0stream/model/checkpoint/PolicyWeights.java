package dev.pi0stream.model.checkpoint;

import dev.pi0stream.device.Parameter;

/**
 * What a policy is loaded from: its configuration, sizes and weights. A {@link Checkpoint}'s, or
 * {@link RandomWeights} of the same sizes. A parameter is to be given to a device before the next
 * block of the network is asked for; it may be gone then.
 */
public interface PolicyWeights {
  PolicyConfig config();

  Dimensions dimensions();

  /** The weights by the names that openpi publishes, such as {@code action_in_proj.weight}. */
  Weights weights();

  /** The number of parameters that inference uses. */
  long usedParameters();

  /** The embedding table, vocabulary × width of the backbone. */
  Parameter embedding();

  /** The weights of the vision tower, below {@code embeddings.}, {@code encoder.layers.0.} …. */
  default Weights vision() {
    return weights().in(TensorNames.VISION);
  }

  /** The weights of the projector from the vision tower to the backbone. */
  default Weights projector() {
    return weights().in(TensorNames.PROJECTOR);
  }

  /** The weights of the backbone, below {@code layers.0.} …. */
  default Weights language() {
    return weights().in(TensorNames.LANGUAGE);
  }

  /** The weights of the action expert, below {@code layers.0.} … and {@code norm.}. */
  default Weights expert() {
    return weights().in(TensorNames.EXPERT);
  }
}
