package dev.pi0stream.device.tt.host;

import dev.pi0stream.device.DeviceException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What TTNN needs before a device opens, in the order in which it would miss it. The conditions of
 * driver and memory are those of TT-UMD: {@code pci_device.cpp}, {@code hugepage.cpp}.
 */
public final class Requirements {
  /** As {@code KMD_MINIMUM_VERSION} of TT-UMD. */
  private static final int OLDEST_DRIVER = 2;

  private static final String HUGEPAGES =
      "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages";
  private static final String HUGEPAGE_FOLDER = "/dev/hugepages-1G";
  private static final Pattern SFPI_VERSION = Pattern.compile("sfpi:([^\\])]+)");
  private static final Pattern WANTED_VERSION = Pattern.compile("sfpi_version='?([^'\\s]+)");

  private final Machine machine;
  private final List<Requirement> all = new ArrayList<>();

  private Requirements(Machine machine) {
    this.machine = machine;
  }

  /** What the machine's target needs; see {@link Machine#target()}. */
  public static List<Requirement> of(Machine machine) {
    Requirements requirements = new Requirements(machine);
    switch (machine.target()) {
      case CARD -> {
        requirements.addCards();
        requirements.addDriver();
        requirements.addHostMemory();
      }
      case MOCK -> requirements.addFile("mock cluster", Target.MOCK_VARIABLE);
      case SIMULATOR -> requirements.addFile("simulator", Target.SIMULATOR_VARIABLE);
    }
    requirements.addTtnn();
    return List.copyOf(requirements.all);
  }

  private void addCards() {
    List<Card> cards = machine.cards();
    if (cards.isEmpty()) {
      all.add(
          Requirement.missing(
              "card",
              "none in " + machine.root().resolve("dev/tenstorrent"),
              "`lspci -d 1e52:` lists the cards that the slots see; the driver tt-kmd makes the device"
                  + " nodes"));
    }
    for (Card card : cards) {
      String what = "card " + card.index();
      String name = "%s %s".formatted(card.architecture(), card.board()).strip();
      all.add(
          card.usable()
              ? Requirement.met(what, "%s, %s".formatted(name, card.node()))
              : Requirement.missing(
                  what,
                  "%s, %s without permission".formatted(name, card.node()),
                  "tt-kmd's udev rule gives it to everybody; until the next start: `sudo chmod a+rw %s`"
                      .formatted(card.node())));
    }
  }

  private void addDriver() {
    String version = machine.read(machine.root().resolve("sys/module/tenstorrent/version"));
    String wanted = "expected %d.0.0 or newer".formatted(OLDEST_DRIVER);
    if (version.isEmpty()) {
      all.add(
          Requirement.missing(
              "driver",
              "tt-kmd is not loaded, " + wanted,
              "install it (https://github.com/tenstorrent/tt-kmd), then `sudo modprobe tenstorrent`"));
    } else if (version.matches("\\d{1,6}\\..*")
        && Integer.parseInt(version.substring(0, version.indexOf('.'))) >= OLDEST_DRIVER) {
      all.add(Requirement.met("driver", "tt-kmd " + version));
    } else {
      all.add(
          Requirement.missing(
              "driver",
              "tt-kmd %s, %s".formatted(version, wanted),
              "update it: https://github.com/tenstorrent/tt-kmd"));
    }
  }

  /** Where no IOMMU translates for a card, it reaches the host's memory by pages of 1 GB. */
  private void addHostMemory() {
    List<Card> cards = machine.cards();
    long without = cards.stream().filter(card -> !card.iommu()).count();
    if (without == 0) {
      if (!cards.isEmpty()) {
        all.add(Requirement.met("host memory", "the IOMMU translates; no hugepages are needed"));
      }
      return;
    }
    String count = machine.read(machine.root().resolve(HUGEPAGES));
    int pages = count.matches("\\d{1,6}") ? Integer.parseInt(count) : 0;
    String found = "no IOMMU; hugepages of 1 GB: %d, cards: %d".formatted(pages, without);
    String fix =
        "enable the IOMMU (in the firmware, and intel_iommu=on or amd_iommu=on), or set up hugepages";
    if (pages < without) {
      all.add(
          Requirement.missing(
              "host memory",
              found,
              "%s: `echo %d | sudo tee /%s`".formatted(fix, without, HUGEPAGES)));
    } else if (!isMounted()) {
      all.add(
          Requirement.missing(
              "host memory",
              "%s, not mounted on %s".formatted(found, HUGEPAGE_FOLDER),
              "%s: `sudo mkdir -p %s && sudo mount -t hugetlbfs -o pagesize=1G,mode=0777 none %s`"
                  .formatted(fix, HUGEPAGE_FOLDER, HUGEPAGE_FOLDER)));
    } else {
      all.add(Requirement.met("host memory", "%s on %s".formatted(found, HUGEPAGE_FOLDER)));
    }
  }

  private boolean isMounted() {
    try (Stream<String> mounts = Files.lines(machine.root().resolve("proc/mounts"))) {
      return mounts
          .map(mount -> mount.split(" ", -1))
          .anyMatch(
              mount ->
                  mount.length > 3
                      && mount[1].equals(HUGEPAGE_FOLDER)
                      && mount[2].equals("hugetlbfs")
                      && mount[3].matches("(.*,)?pagesize=(1024M|1G)(,.*)?"));
    } catch (IOException | UncheckedIOException e) {
      return false;
    }
  }

  private void addFile(String what, String variable) {
    String file = machine.environment().get(variable);
    all.add(
        Files.isReadable(Path.of(file))
            ? Requirement.met(what, file)
            : Requirement.missing(
                what,
                "%s: no such file".formatted(file),
                "%s names one, or is not set".formatted(variable)));
  }

  private void addTtnn() {
    Path directory = TtnnInstallation.directory(machine);
    Optional<String> problem = TtnnInstallation.problem(directory);
    if (problem.isPresent()) {
      all.add(
          Requirement.missing(
              "TTNN", problem.get(), "`pi0 devices --install-ttnn %s`".formatted(directory)));
      return;
    }
    TtnnInstallation ttnn = TtnnInstallation.open(directory);
    all.add(
        Requirement.met(
            "TTNN", "%s in %s".formatted(TtnnInstallation.VERSION, ttnn.venv().directory())));
    all.add(Requirement.met("Python", ttnn.venv().library().toString()));
    addCompiler(ttnn);
  }

  private void addCompiler(TtnnInstallation ttnn) {
    String what = "SFPI";
    String wanted = wantedCompiler(ttnn);
    String install =
        "install SFPI %s into /opt/tenstorrent/sfpi: https://github.com/tenstorrent/sfpi/releases"
            .formatted(wanted);
    Optional<Path> compiler = ttnn.compiler(machine);
    if (ttnn.hasStandIn()) {
      all.add(
          machine.target() == Target.MOCK
              ? Requirement.met(what, "the stand-in, whose kernels compute nothing")
              : Requirement.missing(
                  what,
                  "the stand-in, which is for mock devices only",
                  "%s; `pi0 devices --install-ttnn %s` on a machine with a card removes the stand-in"
                      .formatted(install, ttnn.venv().directory())));
      return;
    }
    if (compiler.isEmpty()) {
      all.add(Requirement.missing(what, "no compiler for kernels", install));
      return;
    }
    String version = version(compiler.get());
    all.add(
        version.equals(wanted)
            ? Requirement.met(what, "%s, %s".formatted(version, compiler.get()))
            : Requirement.missing(
                what, "%s in %s, expected %s".formatted(version, compiler.get(), wanted), install));
  }

  /** The version that TTNN compares with, from its own file. */
  private static String wantedCompiler(TtnnInstallation ttnn) {
    Path file = ttnn.venv().packages().resolve("ttnn/tt_metal/sfpi-version");
    try {
      Matcher wanted = WANTED_VERSION.matcher(Files.readString(file));
      return wanted.find() ? wanted.group(1) : "of an unknown version";
    } catch (IOException e) {
      throw new DeviceException("%s cannot be read (%s): install ttnn again".formatted(file, e), e);
    }
  }

  private static String version(Path compiler) {
    try {
      Process process =
          new ProcessBuilder(compiler.toString(), "--version").redirectErrorStream(true).start();
      process.getOutputStream().close();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      Matcher version = SFPI_VERSION.matcher(said);
      return version.find() ? version.group(1).replaceFirst("\\[.*", "") : "an unknown compiler";
    } catch (IOException e) {
      return "a compiler that cannot be started (%s)".formatted(e.getMessage());
    }
  }
}
