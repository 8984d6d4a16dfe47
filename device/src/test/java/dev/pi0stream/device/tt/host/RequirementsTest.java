package dev.pi0stream.device.tt.host;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is missing on a machine, each with its fix. */
class RequirementsTest {
  private static final String HUGEPAGES =
      "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages";
  private static final String SFPI = "riscv-tt-elf-g++ (tenstorrent/sfpi:7.89.0[1050]) 15.1.0";

  @TempDir private Path folder;

  private FakeMachine fake;

  @BeforeEach
  void makeAMachineThatHasEverything() throws IOException {
    fake = new FakeMachine(folder);
    fake.addCard(0, "0xb140", "p150a", "DMA-FQ");
    fake.addFile("sys/module/tenstorrent/version", "2.9.0\n");
    fake.addVenv("3.12.1", true);
    fake.addTtnn(TtnnInstallation.VERSION);
    fake.addCompiler(SFPI);
  }

  @Test
  void aMachineThatHasEverythingLacksNothing() {
    assertThat(Requirements.of(fake.machine()))
        .allMatch(Requirement::met)
        .extracting(Requirement::what)
        .containsExactly("card 0", "driver", "host memory", "TTNN", "Python", "SFPI");
  }

  @Test
  void everythingThatIsMissingHasItsFix() throws IOException {
    FakeMachine empty = new FakeMachine(Files.createDirectory(folder.resolve("empty")));
    assertThat(Requirements.of(empty.machine()))
        .noneMatch(Requirement::met)
        .allMatch(requirement -> !requirement.fix().isBlank())
        .extracting(Requirement::what)
        .containsExactly("card", "driver", "TTNN");
  }

  @Test
  void anOldDriverIsUpdated() throws IOException {
    fake.addFile("sys/module/tenstorrent/version", "1.34\n");
    assertThat(find("driver"))
        .isEqualTo(
            new Requirement(
                "driver",
                false,
                "tt-kmd 1.34, expected 2.0.0 or newer",
                "update it: https://github.com/tenstorrent/tt-kmd"));
  }

  @Test
  void withoutIommuACardNeedsHugepagesThatAreMounted() throws IOException {
    fake.addCard(1, "0x401e", "n150", "identity");
    assertThat(find("host memory").found()).isEqualTo("no IOMMU; hugepages of 1 GB: 0, cards: 1");
    assertThat(find("host memory").fix()).contains("echo 1 | sudo tee /" + HUGEPAGES);
    fake.addFile(HUGEPAGES, "1\n");
    assertThat(find("host memory").found())
        .isEqualTo("no IOMMU; hugepages of 1 GB: 1, cards: 1, not mounted on /dev/hugepages-1G");
    fake.addFile("proc/mounts", "x /dev/hugepages-1G hugetlbfs rw,pagesize=2M 0 0\n");
    assertThat(find("host memory").met()).isFalse();
    fake.addFile(
        "proc/mounts",
        "p /proc proc rw 0 0\nx /dev/hugepages-1G hugetlbfs rw,pagesize=1024M 0 0\n");
    assertThat(find("host memory").met()).isTrue();
    fake.addCard(2, "0x401e", "n150", "");
    assertThat(find("host memory").found()).isEqualTo("no IOMMU; hugepages of 1 GB: 1, cards: 2");
  }

  @Test
  void ttnnThatCannotBeUsedIsInstalled() throws IOException {
    fake.addTtnn("0.80.0");
    assertThat(find("TTNN").found())
        .endsWith("has ttnn 0.80.0 and 0.81.1, expected ttnn " + TtnnInstallation.VERSION);
    assertThat(find("TTNN").fix()).isEqualTo("`pi0 devices --install-ttnn " + fake.venv() + "`");
  }

  @Test
  void theCompilerHasToBeTheOneThatTtnnIsMadeFor() throws IOException {
    assertThat(find("SFPI").found()).startsWith("7.89.0, ");
    fake.addCompiler("riscv-tt-elf-g++ (tenstorrent/sfpi:7.40.1[99]) 15.1.0");
    assertThat(find("SFPI").found()).startsWith("7.40.1 in ").endsWith(", expected 7.89.0");
    fake.addCompiler("gcc 15");
    assertThat(find("SFPI").found()).startsWith("an unknown compiler in ");
    assertThat(find("SFPI").fix()).startsWith("install SFPI 7.89.0 into /opt/tenstorrent/sfpi");
    Files.delete(fake.root().resolve("opt/tenstorrent/sfpi/compiler/bin/riscv-tt-elf-g++"));
    assertThat(find("SFPI").found()).isEqualTo("no compiler for kernels");
  }

  @Test
  void theStandInIsForMocksOnly() throws IOException {
    fake.addStandIn();
    assertThat(find("SFPI").met()).isFalse();
    assertThat(find("SFPI").found()).isEqualTo("the stand-in, which is for mock devices only");
    Path cluster = Files.createFile(folder.resolve("cluster.yaml"));
    assertThat(Requirements.of(fake.with(Target.MOCK_VARIABLE, cluster.toString())))
        .allMatch(Requirement::met)
        .extracting(Requirement::what)
        .containsExactly("mock cluster", "TTNN", "Python", "SFPI");
    assertThat(Requirements.of(fake.with(Target.SIMULATOR_VARIABLE, cluster.toString())))
        .filteredOn(requirement -> !requirement.met())
        .extracting(Requirement::what)
        .containsExactly("SFPI");
  }

  @Test
  void aMockOrSimulatorThatIsNotThereIsNamed() {
    assertThat(Requirements.of(fake.with(Target.MOCK_VARIABLE, "/no/such.yaml")).getFirst())
        .isEqualTo(
            new Requirement(
                "mock cluster",
                false,
                "/no/such.yaml: no such file",
                "TT_METAL_MOCK_CLUSTER_DESC_PATH names one, or is not set"));
  }

  private Requirement find(String what) {
    return Requirements.of(fake.machine()).stream()
        .filter(requirement -> requirement.what().equals(what))
        .findFirst()
        .orElseThrow();
  }
}
