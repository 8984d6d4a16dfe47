package dev.pi0stream.job.cli;

import dev.pi0stream.device.tt.host.Card;
import dev.pi0stream.device.tt.host.Machine;
import dev.pi0stream.device.tt.host.Requirement;
import dev.pi0stream.device.tt.host.Target;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a machine computes on.
 *
 * @param devices what {@code --device} takes here
 * @param auto what {@code --device auto} takes
 * @param reason why
 * @param target what TTNN would run on: {@code card}, {@code mock} or {@code simulator}
 * @param requirements what that needs; empty unless it was checked
 */
record DevicesReport(
    List<Entry> devices,
    String auto,
    String reason,
    String target,
    List<Requirement> requirements) {
  /** What of a processor says how fast matrices are multiplied, in the kernel's names. */
  private static final List<String> FEATURES =
      List.of(
          "avx2",
          "avx512f",
          "avx512_vnni",
          "avx512_bf16",
          "amx_bf16",
          "amx_int8",
          "asimd",
          "bf16",
          "i8mm",
          "sve");

  /**
   * A device.
   *
   * @param name for {@code --device}
   * @param description for a person
   */
  record Entry(String name, String description) {}

  /** Looks at a machine. */
  static DevicesReport of(Machine machine) {
    List<Entry> devices = new ArrayList<>();
    devices.add(new Entry("cpu", processor(machine)));
    devices.add(new Entry("reference", "plain Java on the processor: slow, the definition"));
    switch (machine.target()) {
      case CARD -> machine.cards().forEach(card -> devices.add(entry(card)));
      case MOCK ->
          devices.add(
              new Entry(
                  "tt",
                  "a MOCK of %s: checks what it is asked and computes nothing (%s)"
                      .formatted(
                          machine.environment().get(Target.MOCK_VARIABLE), Target.MOCK_VARIABLE)));
      case SIMULATOR ->
          devices.add(
              new Entry(
                  "tt",
                  "the SIMULATOR %s (%s)"
                      .formatted(
                          machine.environment().get(Target.SIMULATOR_VARIABLE),
                          Target.SIMULATOR_VARIABLE)));
    }
    DeviceChoice auto = DeviceChoice.of(DeviceChoice.AUTO, machine);
    return new DevicesReport(
        List.copyOf(devices), auto.name(), auto.reason(), machine.target().label(), List.of());
  }

  DevicesReport with(List<Requirement> found) {
    return new DevicesReport(devices, auto, reason, target, found);
  }

  private static Entry entry(Card card) {
    return new Entry(
        "tt:" + card.index(),
        "Tenstorrent %s, %s%s"
            .formatted(
                "%s %s".formatted(card.architecture(), card.board()).strip(),
                card.node(),
                card.usable() ? "" : ", without permission to use it"));
  }

  private static String processor(Machine machine) {
    String threads = "%d threads".formatted(Runtime.getRuntime().availableProcessors());
    try (Stream<String> lines = Files.lines(machine.root().resolve("proc/cpuinfo"))) {
      Set<String> flags =
          lines
              .filter(line -> line.startsWith("flags") || line.startsWith("Features"))
              .limit(1)
              .flatMap(line -> Stream.of(line.split("\\s+", -1)))
              .collect(Collectors.toSet());
      return FEATURES.stream()
          .filter(flags::contains)
          .collect(Collectors.joining(" ", "oneDNN, %s, ".formatted(threads), ""));
    } catch (IOException | UncheckedIOException e) {
      return "oneDNN, " + threads;
    }
  }

  /** Whether everything is there that was checked. */
  boolean complete() {
    return requirements.stream().allMatch(Requirement::met);
  }

  void print(PrintWriter out) {
    for (Entry device : devices) {
      out.printf("%-11s %s%n", device.name(), device.description());
    }
    out.printf("%-11s is %s: %s%n", DeviceChoice.AUTO, auto, reason);
    if (!requirements.isEmpty()) {
      out.printf("%nFor a %s:%n", target);
    }
    for (Requirement requirement : requirements) {
      out.printf(
          "%-8s %-12s %s%n",
          requirement.met() ? "ok" : "MISSING", requirement.what(), requirement.found());
      if (!requirement.met()) {
        out.printf("%22s%s%n", "→ ", requirement.fix());
      }
    }
    out.flush();
  }
}
