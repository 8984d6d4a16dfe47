package dev.pi0stream.job.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.pi0stream.job.configuration.ConfigurationException;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class ServePolicyTest {
  @Test
  void theShippedSettingsMakeTheJob() {
    StreamGraph graph = graph("--config", "../conf/pi0.yaml", "--set", "job.parallelism=3");

    assertThat(graph.getJobName()).isEqualTo("pi0-stream");
    assertThat(graph.getStreamNodes())
        .extracting(node -> node.getTransformationUID())
        .contains("observations", "decode", "session", "policy", "route");
    assertThat(graph.getStreamNodes())
        .filteredOn(node -> "policy".equals(node.getTransformationUID()))
        .singleElement()
        .satisfies(node -> assertThat(node.getParallelism()).isEqualTo(3));
  }

  @Test
  void whatIsWrongIsThrownBeforeThereIsAJob() {
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> graph("--set", "policy.device=cpu"))
        .withMessageContaining("kafka.bootstrap-servers is not set");
    assertThatExceptionOfType(ConfigurationException.class)
        .isThrownBy(() -> graph("--config", "../conf/pi0.yaml", "--set", "jobs.timeout=1s"))
        .withMessage("--set: there is no setting jobs.timeout: the nearest one is job.timeout");
    assertThatExceptionOfType(CommandLine.ParameterException.class)
        .isThrownBy(() -> graph("--configuration", "../conf/pi0.yaml"))
        .withMessageContaining("--configuration");
  }

  private static StreamGraph graph(String... arguments) {
    StreamExecutionEnvironment environment = new StreamExecutionEnvironment(new Configuration());
    ServePolicy.build(environment, arguments);
    return environment.getStreamGraph();
  }
}
