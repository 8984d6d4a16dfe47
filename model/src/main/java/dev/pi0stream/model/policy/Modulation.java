package dev.pi0stream.model.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Epilogue;
import dev.pi0stream.device.Norm;
import dev.pi0stream.device.Tensor;
import java.util.Collections;
import java.util.List;

/**
 * What a condition does to an RMSNorm and to the residual behind it: nothing in π0 and in both
 * backbones; in π0.5's expert, whose norms are adaptive, the time of the denoising step scales,
 * shifts and gates.
 */
public sealed interface Modulation {
  /** No condition: {@code rmsNorm(x)} and {@code x + y}. */
  Modulation NONE = new None();

  /** The norm of rows. */
  Tensor normalize(Device device, Tensor x, Norm norm);

  /** How the branch behind the norm is added to its input. */
  Epilogue residual(Tensor x);

  /** No condition. */
  record None() implements Modulation {
    @Override
    public Tensor normalize(Device device, Tensor x, Norm norm) {
      return device.rmsNorm(x, norm);
    }

    @Override
    public Epilogue residual(Tensor x) {
      return Epilogue.residual(x);
    }
  }

  /**
   * {@code rmsNorm(x) ⊙ (1 + scale) + shift} and {@code x + gate ⊙ y}; each 1 × width.
   *
   * <p>openpi's {@code gemma.py}, {@code RMSNorm} and {@code _gated_residual}.
   */
  record Adaptive(Tensor scale, Tensor shift, Tensor gate) implements Modulation {
    @Override
    public Tensor normalize(Device device, Tensor x, Norm norm) {
      return device.adaptiveRmsNorm(x, norm, scale, shift);
    }

    @Override
    public Epilogue residual(Tensor x) {
      return Epilogue.gatedResidual(x, gate);
    }
  }

  /** The two norms of a block. */
  record OfBlock(Modulation attention, Modulation mlp) {
    /** No condition. */
    public static final OfBlock NONE = new OfBlock(Modulation.NONE, Modulation.NONE);
  }

  /**
   * All norms of a stack.
   *
   * @param blocks one for each block
   * @param last of the final norm, whose gate has nothing to act on
   */
  record OfStack(List<OfBlock> blocks, Modulation last) {
    public OfStack {
      blocks = List.copyOf(blocks);
    }

    /** No condition. */
    public static OfStack none(int layers) {
      return new OfStack(Collections.nCopies(layers, OfBlock.NONE), Modulation.NONE);
    }
  }
}
