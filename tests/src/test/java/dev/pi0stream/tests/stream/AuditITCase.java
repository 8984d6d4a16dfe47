package dev.pi0stream.tests.stream;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.RobotObservation;
import dev.pi0stream.tests.cli.CommandLineRun;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code pi0 audit} on what the job left on a broker, after a fault of the device. */
@Timeout(240)
@SuppressWarnings("try") // Closing a job may be interrupted; the test fails with it.
class AuditITCase {
  @TempDir private Path folder;

  @Test
  void whatTheJobWroteIsCleanAndWhatNobodyShouldHaveWrittenIsFound() throws Exception {
    ScriptedDevice loader = new ScriptedDevice("audited");
    PolicyJobSettings settings =
        PolicyJobSettings.of(
            PolicyJobSettings.engine("reference"), PolicyJobSettings.NO_CHECKPOINTS, loader);
    try (ServedJob job = ServedJob.usual(settings);
        ScriptedDevice.Controls device = loader.controls()) {
      long first = job.send(RobotMessages.observation("a", "e1", 0));
      job.awaitChunks(first, 1);
      job.checkpoint();
      long again = job.send(still("a", 1));
      job.awaitChunks(again, 1);
      job.send(null, "no observation".getBytes(StandardCharsets.UTF_8));
      job.send(RobotMessages.observation("a", "e1", 0));
      // The device fails, and what came since the checkpoint is answered again.
      device.failNextBatch();
      long last = job.send(RobotMessages.observation("b", "e1", 0));
      job.awaitRestart(1);
      job.awaitChunks(again, 2);
      job.awaitChunks(last, 1);
      job.awaitOutcomesUpTo(last);

      CommandLineRun clean = audit(job);
      assertThat(clean.code()).as(clean.out() + clean.err()).isZero();
      assertThat(clean.out())
          .contains(
              "5 observations = 3 chunks + 1 superseded + 0 expired + 1 rejected + 0 without an"
                  + " outcome")
          .contains("3 chunks were computed again")
          .endsWith("all is well" + System.lineSeparator());
      JsonNode report = new ObjectMapper().readTree(folder.resolve("audit.json").toFile());
      assertThat(report.get("repeats").asLong()).isPositive();
      assertThat(report.get("findings").size()).isZero();

      ActionChunk forged = ServedJob.chunks(job.awaitOutcomesUpTo(last).get(last)).getFirst();
      forged.setActions(List.copyOf(forged.getActions().reversed()));
      forged.setGeneration(forged.getGeneration() + 1);
      job.forge("b", forged);
      CommandLineRun found = audit(job);
      assertThat(found.code()).isEqualTo(1);
      assertThat(found.out()).contains("1 answered differently");
    }
  }

  @Test
  void whatCannotBeAuditedIsOneSentence() {
    CommandLineRun broker = CommandLineRun.of("audit", "--kafka", "localhost:1");
    assertThat(broker.code()).isEqualTo(2);
    assertThat(broker.err()).startsWith("pi0 audit: ").contains("localhost:1").hasLineCount(1);
    CommandLineRun count = CommandLineRun.of("audit", "--kafka", "localhost:1", "--recompute", "0");
    assertThat(count.code()).isEqualTo(2);
    assertThat(count.err()).contains("--recompute is 0: expected 1 or more");
    CommandLineRun time =
        CommandLineRun.of("audit", "--kafka", "localhost:1", "--from", "yesterday");
    assertThat(time.code()).isEqualTo(2);
  }

  private CommandLineRun audit(ServedJob job) {
    return CommandLineRun.of(
        "audit",
        "--kafka",
        job.bootstrapServers(),
        "--checkpoint",
        "../examples/checkpoint",
        "--device",
        "reference",
        "--json",
        folder.resolve("audit.json").toString());
  }

  private static RobotObservation still(String robot, long sequence) {
    RobotObservation still = RobotMessages.observation(robot, "e1", sequence);
    still.setFrames(List.of(RobotMessages.same("top"), RobotMessages.same("wrist")));
    return still;
  }
}
