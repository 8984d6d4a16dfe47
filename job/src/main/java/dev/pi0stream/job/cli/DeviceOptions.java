package dev.pi0stream.job.cli;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Devices;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.tt.host.Machine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Where a command computes, and how precisely; taken in by {@code @Mixin}. */
public final class DeviceOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = DeviceChoice.AUTO,
      description = {
        "cpu, reference, tt (a Tenstorrent card) or tt:N (the one of that index); auto is tt where"
            + " there is a card and else cpu (default: ${DEFAULT-VALUE}). `pi0 devices` lists what"
            + " is there."
      })
  private String device;

  @Option(
      names = "--precision",
      paramLabel = "NAME",
      description =
          "fp32, bf16, bfp8 or int8, as far as the device has it (default: fp32; on tt bfp8).")
  private String precision;

  private DeviceChoice choice;

  /** The name of the device. */
  public String device() {
    return choice().name();
  }

  /** Why it is this one. */
  public String reason() {
    return choice().reason();
  }

  /** Chooses once, and says what was chosen where the choice was not the person's. */
  private DeviceChoice choice() {
    if (choice == null) {
      choice = DeviceChoice.of(device, Machine.local());
      if (device.equals(DeviceChoice.AUTO)) {
        command.commandLine().getErr().printf("device %s: %s%n", choice.name(), choice.reason());
      }
    }
    return choice;
  }

  /**
   * The precision.
   *
   * @throws IllegalArgumentException naming those that there are
   */
  public Precision precision() {
    return precision == null ? Devices.defaultPrecision(device()) : Precision.parse(precision);
  }

  /**
   * Opens the device.
   *
   * @throws IllegalArgumentException if there is none of this name and precision
   */
  public Device open() {
    return Devices.open(device(), precision());
  }
}
