package dev.pi0stream.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.device.Precision;
import dev.pi0stream.device.tt.host.Machine;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

class DeviceOptionsTest {
  private final StringWriter err = new StringWriter();

  @Command(name = "compute")
  private static final class Compute {
    @Mixin private DeviceOptions where;
  }

  @Test
  void theMachinesChoiceIsSaidOnce() {
    DeviceChoice expected = DeviceChoice.of(DeviceChoice.AUTO, Machine.local());
    DeviceOptions options = parse();
    assertThat(options.device()).isEqualTo(expected.name());
    assertThat(options.reason()).isEqualTo(expected.reason());
    assertThat(err).hasToString("device %s: %s%n".formatted(expected.name(), expected.reason()));
  }

  @Test
  void thePersonsChoiceIsNotCommented() {
    DeviceOptions options = parse("--device", "tt:1");
    assertThat(options.device()).isEqualTo("tt:1");
    assertThat(options.reason()).isEqualTo("as asked");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void thePrecisionIsTheDevicesUnlessOneIsAskedFor() {
    assertThat(parse("--device", "cpu").precision()).isEqualTo(Precision.FP32);
    assertThat(parse("--device", "reference").precision()).isEqualTo(Precision.FP32);
    assertThat(parse("--device", "tt:1").precision()).isEqualTo(Precision.BFP8);
    assertThat(parse("--device", "tt", "--precision", "bf16").precision())
        .isEqualTo(Precision.BF16);
  }

  private DeviceOptions parse(String... arguments) {
    Compute compute = new Compute();
    CommandLine command = new CommandLine(compute).setErr(new PrintWriter(err, true));
    command.parseArgs(arguments);
    return compute.where;
  }
}
