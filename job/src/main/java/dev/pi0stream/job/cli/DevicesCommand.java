package dev.pi0stream.job.cli;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.tt.host.Machine;
import dev.pi0stream.device.tt.host.Requirements;
import dev.pi0stream.device.tt.host.Target;
import dev.pi0stream.device.tt.host.TtnnInstallation;
import dev.pi0stream.device.tt.host.TtnnInstaller;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pi0 devices}: what there is to compute on, and what a Tenstorrent card still lacks. */
@Command(
    name = "devices",
    mixinStandardHelpOptions = true,
    description = {
      "Lists what --device takes on this machine and which of it `auto` is.",
      "",
      "A Tenstorrent card is driven through TTNN, which runs in a Python 3.12 inside this process."
          + " --check says what of that is missing and how to get it; --install-ttnn installs the"
          + " Python side. Neither touches a card."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:listed; with --check: nothing is missing",
      "1:with --check: something is missing; with --install-ttnn: it cannot be installed",
      "2:an option is wrong",
      "3:with --check: there is no card, and neither a mock nor a simulator is named"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 devices",
      "  pi0 devices --check --json devices.json",
      "  pi0 devices --install-ttnn",
      "  pi0 devices --install-ttnn /opt/pi0/ttnn"
    })
final class DevicesCommand implements Callable<Integer> {
  private static final int MISSING = 1;
  private static final int NO_CARD = 3;

  private final Machine machine;

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;
  @ArgGroup private Task task;

  /** At most one of them. */
  private static final class Task {
    @Option(
        names = "--check",
        description = "Check what a card needs: driver, permissions, memory, TTNN, compiler.")
    private boolean check;

    @Option(
        names = "--install-ttnn",
        paramLabel = "DIR",
        arity = "0..1",
        fallbackValue = "",
        description = {
          "Install TTNN "
              + TtnnInstallation.VERSION
              + " into this folder, about 450 MB (default: where it is looked for, which is "
              + TtnnInstallation.VARIABLE
              + " or ~/.cache/pi0-stream/ttnn). PYTHON names a Python 3.12 with a shared library."
        })
    private String directory;
  }

  DevicesCommand() {
    this(Machine.local());
  }

  /** For tests: another machine than this one. */
  DevicesCommand(Machine machine) {
    this.machine = machine;
  }

  @Override
  public Integer call() {
    if (task != null && task.directory != null) {
      return install();
    }
    DevicesReport report = DevicesReport.of(machine);
    boolean check = task != null && task.check;
    if (check) {
      report = report.with(Requirements.of(machine));
    }
    report.print(spec.commandLine().getOut());
    common.write(report);
    if (check && machine.target() == Target.CARD && machine.cards().isEmpty()) {
      throw new CommandException(
          NO_CARD, "there is no Tenstorrent card on this machine: --device auto is cpu", null);
    }
    return report.complete() ? CommandLine.ExitCode.OK : MISSING;
  }

  private int install() {
    PrintWriter out = spec.commandLine().getOut();
    Path wanted = TtnnInstallation.directory(machine);
    Path directory = task.directory.isEmpty() ? wanted : Path.of(task.directory);
    try {
      TtnnInstaller.install(
          directory,
          line -> {
            out.println(line);
            out.flush();
          });
    } catch (DeviceException e) {
      throw new CommandException(MISSING, e.getMessage(), e);
    }
    return CommandLine.ExitCode.OK;
  }
}
