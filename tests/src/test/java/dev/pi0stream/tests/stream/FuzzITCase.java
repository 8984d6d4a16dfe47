package dev.pi0stream.tests.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.job.audit.AuditReport;
import dev.pi0stream.operators.policy.CheckpointLoader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever is sent has its one outcome, and no task is ever started again because of it. */
@SuppressWarnings("try") // Closing a job may be interrupted; the test fails with it.
class FuzzITCase {
  private static final int PORTION = 1000;

  @Test
  @Timeout(240)
  void someMutatedMessagesEndWithoutARestart() throws Exception {
    send(2 * PORTION, 1);
  }

  @Test
  @Tag("long")
  @Timeout(1800)
  void aHundredThousandMutatedMessagesEndWithoutARestart() throws Exception {
    send(100 * PORTION, 2);
  }

  private static void send(int count, long seed) throws Exception {
    Mutations mutations = new Mutations(seed);
    PolicyJobSettings settings =
        PolicyJobSettings.of(
            PolicyJobSettings.engine("cpu"), Duration.ofSeconds(1), new CheckpointLoader());
    try (ServedJob job = ServedJob.usual(settings)) {
      long last = -1;
      for (int sent = 0; sent < count; sent += PORTION) {
        List<byte[]> portion = new ArrayList<>();
        for (int i = 0; i < PORTION; i++) {
          portion.add(mutations.next());
        }
        last = job.sendAll(portion);
        job.awaitOutcomesUpTo(last);
      }
      assertThat(job.restarts()).isZero();
      AuditReport audit = job.audit();
      System.out.printf(
          "seed %d: %d messages = %d chunks + %d superseded + %d expired + %d rejected%n",
          seed,
          audit.records(),
          audit.chunks(),
          audit.superseded(),
          audit.expired(),
          audit.rejected());
      assertThat(audit.findings()).as(() -> audit.examples().toString()).isEmpty();
      assertThat(audit.records()).isEqualTo(count).isEqualTo(last + 1);
      assertThat(audit.rejected()).isGreaterThan(count / 2);
    }
  }
}
