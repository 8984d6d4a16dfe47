package dev.pi0stream.model.policy;

import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Tensor;

/**
 * Sees the values between the parts of a policy, for {@code pi0 verify}. Rows are packed as the
 * policy computes them: without padding, without masked cameras, sequence after sequence.
 *
 * <p>Names are those of the golden vectors: {@code siglip.<camera>} (one tensor for each row of the
 * batch that has the camera, called with its row), {@code prefix.embs}, {@code time_emb.step<k>},
 * {@code adarms_cond.step<k>}, {@code suffix.state}, {@code suffix.embs.step<k>} (action rows
 * only), {@code expert.state.layer<i>}, {@code expert.layer<i>.step<k>}, {@code expert.state.out},
 * {@code suffix.out.step<k>}, {@code v.model.step<k>} (before guidance), {@code v.step<k>}, {@code
 * x.step<k>}.
 */
public interface Probe {
  /** The row of a value that packs all rows of the batch, or that is the same for all of them. */
  int ALL_ROWS = -1;

  /** Sees nothing. */
  Probe NONE =
      new Probe() {
        @Override
        public void see(String name, int row, Tensor value) {}

        @Override
        public void seePrefix(KeyValues prefix) {}
      };

  /**
   * A value.
   *
   * @param row the row of the batch that it belongs to, or {@link #ALL_ROWS}
   * @param value to be read before the call returns: it may be freed then
   */
  void see(String name, int row, Tensor value);

  /** Keys (after RoPE) and values of the prefix, one sequence for each row of the batch. */
  void seePrefix(KeyValues prefix);
}
