package dev.pi0stream.job.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pi0stream.operators.policy.CheckpointLoader;
import dev.pi0stream.operators.policy.EngineSpec;
import java.time.Duration;
import java.util.Optional;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PolicyJobTest {
  private static final EngineSpec ENGINE = new EngineSpec("checkpoint", "reference", "fp32", 4);

  @ParameterizedTest
  @EnumSource(KafkaSettings.Start.class)
  void everyOperatorHasAnIdentityANameAndADescription(KafkaSettings.Start start) {
    StreamGraph graph = graph(start);
    assertThat(graph.getStreamNodes())
        .extracting(StreamNode::getTransformationUID)
        .contains("observations", "decode", "session", "policy", "route")
        .allMatch(uid -> uid != null && !uid.isBlank())
        .doesNotHaveDuplicates();
    assertThat(graph.getStreamNodes())
        .extracting(StreamNode::getOperatorName)
        .anyMatch(name -> name.contains("Observations from Kafka"))
        .contains("Decode observations", "Robot sessions", "Policy", "Route outcomes");
    assertThat(graph.getStreamNodes())
        .extracting(StreamNode::getOperatorDescription)
        .contains("checkpoint on reference in fp32", "One outcome in, one record out");
  }

  @Test
  void withoutTelemetryNothingOfItIsInTheGraph() {
    JobSettings usual = JobSettings.defaults(ENGINE);
    StreamExecutionEnvironment environment = new StreamExecutionEnvironment();
    PolicyJob.build(
        environment,
        usual.reporting(Optional.empty()),
        KafkaSettings.defaults("localhost:9092"),
        new CheckpointLoader());
    assertThat(environment.getStreamGraph().getStreamNodes())
        .extracting(StreamNode::getTransformationUID)
        .isNotEmpty()
        .noneMatch(uid -> uid.startsWith("telemetry"));
    assertThat(graph(KafkaSettings.Start.LATEST).getStreamNodes())
        .extracting(StreamNode::getTransformationUID)
        .contains("telemetry", "telemetry-topic");
  }

  @Test
  void nothingWaitsForABufferAndNothingIsStoredByKryo() {
    StreamGraph graph = graph(KafkaSettings.Start.LATEST);
    assertThat(graph.getStreamNodes()).allMatch(node -> node.getBufferTimeout() == 0);
    assertThat(graph.getExecutionConfig().getSerializerConfig().hasGenericTypesDisabled()).isTrue();
    assertThat(graph.getExecutionConfig().isObjectReuseEnabled()).isTrue();
    assertThat(graph.getCheckpointConfig().getCheckpointInterval()).isEqualTo(5000);
    assertThat(graph.getCheckpointConfig().isUnalignedCheckpointsEnabled()).isTrue();
  }

  @Test
  void settingsThatCannotBeAreRefused() {
    assertThatThrownBy(
            () ->
                new JobSettings(
                    ENGINE,
                    0,
                    1,
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(1),
                    JobSettings.defaults(ENGINE).limits()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("parallelism is 0: expected more than 0");
  }

  private static StreamGraph graph(KafkaSettings.Start start) {
    StreamExecutionEnvironment environment = new StreamExecutionEnvironment();
    PolicyJob.build(
        environment,
        JobSettings.defaults(ENGINE),
        KafkaSettings.defaults("localhost:9092").startingAt(start),
        new CheckpointLoader());
    return environment.getStreamGraph();
  }
}
