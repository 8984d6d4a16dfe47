package dev.pi0stream.model.engine;

import dev.pi0stream.device.Device;
import java.util.OptionalLong;

/**
 * How much of a device's memory may hold what is kept to be used again: what a setting says, or
 * else what suits the device.
 *
 * <p>A device with memory of its own is asked after every batch, since only then is known what
 * batches of that size take while they compute. Three quarters of what they leave are for reuse;
 * the rest is for what the next batch brings and for a larger one than there was yet.
 *
 * @param setting in bytes; empty for what suits the device
 */
public record ReuseBudget(OptionalLong setting) {
  /** What suits the device. */
  public static final ReuseBudget OF_DEVICE = new ReuseBudget(OptionalLong.empty());

  /** Nothing is kept beyond a batch. */
  public static final ReuseBudget NOTHING = of(0);

  /** Where the memory is the host's, which others use too. */
  private static final long OF_HOST = 1L << 30;

  private static final double SHARE = 0.75;
  private static final long MEBIBYTE = 1L << 20;

  public ReuseBudget {
    if (setting.isPresent() && setting.getAsLong() < 0) {
      throw new IllegalArgumentException(
          "memory for reuse is %d bytes: expected 0 or more".formatted(setting.getAsLong()));
    }
  }

  /** So many bytes. */
  public static ReuseBudget of(long bytes) {
    return new ReuseBudget(OptionalLong.of(bytes));
  }

  /**
   * The budget now.
   *
   * @param kept what is kept already, in bytes on the device
   */
  public long bytes(Device device, long kept) {
    OptionalLong spare = device.spareBytes();
    if (setting.isPresent() || spare.isEmpty()) {
      return setting.orElse(OF_HOST);
    }
    return (long) (SHARE * (spare.getAsLong() + kept));
  }

  /**
   * Checks that the device has what the setting says.
   *
   * @param kept what is kept already, in bytes on the device
   * @throws IllegalArgumentException where it has not
   */
  void check(Device device, long kept) {
    OptionalLong spare = device.spareBytes();
    if (setting.isPresent() && spare.isPresent()) {
      long most = spare.getAsLong() + kept;
      if (setting.getAsLong() > most) {
        throw new IllegalArgumentException(
            ("memory for reuse is %d MiB: expected at most %d, which device '%s' has beside the"
                    + " policy and what its batches take")
                .formatted(setting.getAsLong() / MEBIBYTE, most / MEBIBYTE, device.name()));
      }
    }
  }
}
