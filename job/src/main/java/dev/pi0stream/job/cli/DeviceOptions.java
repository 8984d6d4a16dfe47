package dev.pi0stream.job.cli;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Devices;
import dev.pi0stream.device.Precision;
import picocli.CommandLine.Option;

/** Where a command computes, and how precisely; taken in by {@code @Mixin}. */
public final class DeviceOptions {
  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "cpu",
      description = "cpu or reference (default: ${DEFAULT-VALUE}).")
  private String device;

  @Option(
      names = "--precision",
      paramLabel = "NAME",
      defaultValue = "fp32",
      description = "fp32 or bf16 (default: ${DEFAULT-VALUE}).")
  private String precision;

  /** The name of the device. */
  public String device() {
    return device;
  }

  /**
   * The precision.
   *
   * @throws IllegalArgumentException naming those that there are
   */
  public Precision precision() {
    return Precision.parse(precision);
  }

  /**
   * Opens the device.
   *
   * @throws IllegalArgumentException if there is none of this name and precision
   */
  public Device open() {
    return Devices.open(device, precision());
  }
}
