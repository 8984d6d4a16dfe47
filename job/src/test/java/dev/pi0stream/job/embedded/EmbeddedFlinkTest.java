package dev.pi0stream.job.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.FlinkException;
import org.junit.jupiter.api.Test;

class EmbeddedFlinkTest {
  @Test
  void runsAJobAndShowsItInTheWebUi() throws Exception {
    try (EmbeddedFlink flink = EmbeddedFlink.start(0, 2, new Configuration());
        HttpClient http = HttpClient.newHttpClient()) {
      StreamExecutionEnvironment environment = new StreamExecutionEnvironment();
      environment.setParallelism(2);
      environment.fromSequence(1, 100).sinkTo(new DiscardingSink<>());
      JobClient job = flink.submit(environment);
      job.getJobExecutionResult().get(30, TimeUnit.SECONDS);
      assertThat(job.getJobStatus().get()).isEqualTo(JobStatus.FINISHED);

      assertThat(get(http, flink.webUi()).body()).containsIgnoringCase("<html");
      assertThat(get(http, flink.webUi().resolve("/jobs/" + job.getJobID())).body())
          .contains("FINISHED");
    }
  }

  @Test
  void aJobRunsOnceItsTasksHaveOpened() throws Exception {
    try (EmbeddedFlink flink = EmbeddedFlink.start(0, 1, new Configuration())) {
      StreamExecutionEnvironment environment = new StreamExecutionEnvironment();
      environment.setParallelism(1);
      environment
          .fromSequence(1, Long.MAX_VALUE)
          .map(new HeldOpening())
          .returns(Types.LONG)
          .disableChaining()
          .sinkTo(new DiscardingSink<>());
      JobClient job = flink.submit(environment);
      assertThat(HeldOpening.ENTERED.await(60, TimeUnit.SECONDS)).isTrue();
      assertThat(flink.isRunning(job)).isFalse();
      HeldOpening.RELEASE.countDown();
      Instant latest = Instant.now().plusSeconds(60);
      while (!flink.isRunning(job)) {
        assertThat(Instant.now()).isBefore(latest);
        Thread.sleep(10);
      }
    }
  }

  @Test
  void aPortThatIsTakenIsNamed() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThatThrownBy(
              () -> EmbeddedFlink.start(taken.getLocalPort(), 1, new Configuration()).close())
          .isInstanceOf(FlinkException.class)
          .hasMessageContaining("port " + taken.getLocalPort());
    }
  }

  private static HttpResponse<String> get(HttpClient http, URI address) throws Exception {
    return http.send(HttpRequest.newBuilder(address).build(), BodyHandlers.ofString());
  }

  /** A task that does not come out of its opening until it is let. */
  private static final class HeldOpening extends RichMapFunction<Long, Long> {
    private static final long serialVersionUID = 1L;
    private static final CountDownLatch ENTERED = new CountDownLatch(1);
    private static final CountDownLatch RELEASE = new CountDownLatch(1);

    @Override
    public void open(OpenContext context) throws InterruptedException {
      ENTERED.countDown();
      RELEASE.await();
    }

    @Override
    public Long map(Long value) {
      return value;
    }
  }
}
