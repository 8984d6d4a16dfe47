package dev.pi0stream.model.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Rotation;
import dev.pi0stream.device.Tensor;
import java.util.Objects;

/**
 * Who attends whom when rows go through a stack of blocks.
 *
 * @param mask the rows of each sequence and of its context; every row attends all of both
 * @param rotation the rows' positions
 * @param context what each sequence attends besides itself, layer by layer; null for nothing
 * @param destination where the rows' own keys and values are stored, layer by layer; null for
 *     nowhere
 */
public record AttentionPlan(
    Mask mask, Rotation rotation, KeyValues context, KeyValues destination) {
  public AttentionPlan {
    Objects.requireNonNull(mask, "mask");
    Objects.requireNonNull(rotation, "rotation");
  }

  /** Each sequence attends itself. */
  public static AttentionPlan own(Mask mask, Rotation rotation) {
    return new AttentionPlan(mask, rotation, null, null);
  }

  /** The same, with the rows' keys and values stored. */
  public AttentionPlan storing(KeyValues place) {
    return new AttentionPlan(mask, rotation, context, place);
  }

  /** The same, with something else to attend besides. */
  public AttentionPlan attending(KeyValues others) {
    return new AttentionPlan(mask, rotation, others, destination);
  }

  /** Stores the keys and values of a rotated projection if that is wanted. */
  void store(Device device, Tensor packed, Heads heads, int layer) {
    if (destination != null) {
      device.store(packed, heads, destination, layer);
    }
  }

  /** Attends with a rotated projection: rows × {@code heads.queryColumns()}. */
  Tensor attend(Device device, Tensor packed, Heads heads, int layer) {
    return context == null
        ? device.attention(packed, heads, mask)
        : device.attention(packed, heads, mask, context, layer);
  }
}
