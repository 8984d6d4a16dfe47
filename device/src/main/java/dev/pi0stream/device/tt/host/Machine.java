package dev.pi0stream.device.tt.host;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.foreign.UserCache;
import dev.pi0stream.device.tt.python.Interpreter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A machine as its files and environment variables show it.
 *
 * @param root where {@code dev}, {@code sys}, {@code proc} and {@code opt} are: {@code /}
 * @param environment the environment variables
 */
public record Machine(Path root, Map<String, String> environment) {
  private static final Map<String, String> ARCHITECTURES =
      Map.of("0x401e", "wormhole", "0xb140", "blackhole");

  public Machine {
    environment = Map.copyOf(environment);
  }

  /** The machine that this process runs on. */
  public static Machine local() {
    return new Machine(Path.of("/"), System.getenv());
  }

  /** The chips that the driver shows, by their index. */
  public List<Card> cards() {
    Path nodes = root.resolve("dev/tenstorrent");
    if (!Files.isDirectory(nodes)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(nodes)) {
      return files
          .filter(node -> node.getFileName().toString().matches("\\d{1,4}"))
          .map(this::card)
          .sorted(Comparator.comparingInt(Card::index))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(nodes + " cannot be listed", e);
    }
  }

  private Card card(Path node) {
    String index = node.getFileName().toString();
    Path attributes = root.resolve("sys/class/tenstorrent/tenstorrent!" + index);
    return new Card(
        Integer.parseInt(index),
        node,
        ARCHITECTURES.getOrDefault(read(attributes.resolve("device/device")), "unknown"),
        read(attributes.resolve("tt_card_type")),
        Files.isReadable(node) && Files.isWritable(node),
        // As detect_iommu of TT-UMD's pci_device.cpp: DMA or DMA-FQ.
        read(attributes.resolve("device/iommu_group/type")).startsWith("DMA"));
  }

  /** The first line of a small file of the kernel; empty where there is none. */
  String read(Path file) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines.findFirst().orElse("").strip();
    } catch (IOException | UncheckedIOException e) {
      return "";
    }
  }

  /** What TTNN would run on here, whether it is there or not. */
  public Target target() {
    if (!environment.getOrDefault(Target.MOCK_VARIABLE, "").isEmpty()) {
      return Target.MOCK;
    }
    return environment.getOrDefault(Target.SIMULATOR_VARIABLE, "").isEmpty()
        ? Target.CARD
        : Target.SIMULATOR;
  }

  /**
   * Starts Python with TTNN's packages, or takes the interpreter that runs.
   *
   * @throws DeviceException with one sentence that says what to do: no card, no environment with
   *     TTNN, another version of it, a Python that cannot be loaded
   */
  public Interpreter start() {
    return start(TtnnInstallation.find(this));
  }

  Interpreter start(TtnnInstallation ttnn) {
    if (target() == Target.CARD) {
      if (cards().isEmpty()) {
        throw new DeviceException(
            "no Tenstorrent card: %s has none; is the card in its slot and the driver tt-kmd loaded?"
                .formatted(root.resolve("dev/tenstorrent")));
      }
      if (ttnn.hasStandIn()) {
        throw new DeviceException(
            "%s has the stand-in for the kernel compiler, which is for mock devices only: run `pi0"
                    .formatted(ttnn.venv().directory())
                + " devices --install-ttnn %s` on this machine".formatted(ttnn.venv().directory()));
      }
    }
    return Interpreter.start(ttnn.venv(), variables());
  }

  /**
   * What TTNN reads when it is imported; what the user has set stays. A mock's kernels are empty
   * and have the same names as a card's: each target has a cache of its own.
   */
  Map<String, String> variables() {
    Path cache = UserCache.directory(environment).resolve("tt-metal");
    Path kernels = cache.resolve("kernels-" + target().label());
    try {
      Files.createDirectories(kernels);
    } catch (IOException e) {
      throw new DeviceException(
          "%s, where TTNN keeps its kernels, cannot be made (%s): set XDG_CACHE_HOME to a folder"
                  .formatted(kernels, e)
              + " that can be written to",
          e);
    }
    Map<String, String> variables = new LinkedHashMap<>();
    for (String name : List.of(Target.MOCK_VARIABLE, Target.SIMULATOR_VARIABLE)) {
      if (environment.containsKey(name)) {
        variables.put(name, environment.get(name));
      }
    }
    variables.put("TT_METAL_CACHE", kernels.toString());
    variables.put("TT_METAL_LOGS_PATH", cache.toString());
    variables.put("TT_METAL_LOGGER_LEVEL", "off");
    variables.put("LOGURU_LEVEL", "ERROR");
    return variables;
  }
}
