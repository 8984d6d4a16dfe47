package dev.pi0stream.tests.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code pi0 fleet} refuses before it sends anything. */
class FleetCommandTest {
  @ParameterizedTest
  @CsvSource({
    "--robots, 0, robots are 0: expected 1 or more",
    "--rate, 0, observations per second are 0.0: expected more than 0",
    "--rate, NaN, observations per second are NaN: expected more than 0",
    "--pictures-every, 0, pictures come every 0 observations: expected 1 or more",
    "--control-rate, -1, --control-rate is -1.0: expected more than 0",
    "--restarts, -1, restarts per minute are -1.0: expected 0 or more",
    "--paces, '1,0', 'paces are [1.0, 0.0]: expected one or more, each above 0 and at most 1000'",
    "--frame, 2, side of frames is 2: expected 4 or more",
  })
  void wrongOptionsAreRefusedInOneSentence(String option, String value, String sentence) {
    CommandLineRun run = fleet(option, value);
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err().strip()).isEqualTo("pi0 fleet: " + sentence);
  }

  @Test
  void aCheckpointThatIsNoneIsRefused() {
    CommandLineRun run = fleet("--checkpoint", "../docs");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).startsWith("pi0 fleet: ").contains("docs");
  }

  private static CommandLineRun fleet(String... options) {
    List<String> arguments =
        new ArrayList<>(List.of("fleet", "--kafka", "localhost:1", "--checkpoint"));
    arguments.add("../examples/checkpoint");
    if (options[0].equals("--checkpoint")) {
      arguments.subList(3, 5).clear();
    }
    arguments.addAll(List.of(options));
    return CommandLineRun.of(arguments.toArray(String[]::new));
  }
}
