package dev.pi0stream.job.cli;

import dev.pi0stream.device.tt.host.Card;
import dev.pi0stream.device.tt.host.Machine;
import java.util.List;

/**
 * The device that a command takes.
 *
 * @param name what {@link dev.pi0stream.device.Devices#open} takes
 * @param reason why it is this one
 */
record DeviceChoice(String name, String reason) {
  /** The name that leaves the choice to the machine. */
  static final String AUTO = "auto";

  /** What a flag's value means on a machine: a Tenstorrent card where there is one, or else cpu. */
  static DeviceChoice of(String asked, Machine machine) {
    if (!asked.equals(AUTO)) {
      return new DeviceChoice(asked, "as asked");
    }
    List<Card> cards = machine.cards();
    if (cards.isEmpty()) {
      return new DeviceChoice(
          "cpu", "no Tenstorrent card in " + machine.root().resolve("dev/tenstorrent"));
    }
    Card first = cards.getFirst();
    return new DeviceChoice(
        "tt",
        "a Tenstorrent card is here, %s"
            .formatted(
                first.board().isEmpty()
                    ? first.node()
                    : "%s at %s".formatted(first.board(), first.node())));
  }
}
