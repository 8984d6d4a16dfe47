package dev.pi0stream.job.fleet;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.RobotObservation;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** A fleet whose observations are answered at once, without a broker. */
class FleetRunTest {
  @Test
  void everyObservationIsAnsweredAndRobotsOfTheSameSeedSendTheSame() throws Exception {
    List<RobotObservation> first = new ArrayList<>();
    FleetReport report = play(first, 5);
    assertThat(report.robots()).isEqualTo(3);
    assertThat(report.together().observations()).isEqualTo(first.size()).isGreaterThan(20);
    assertThat(report.together().chunks()).isEqualTo(first.size());
    assertThat(report.together().missing()).isZero();
    assertThat(report.starvedShare()).isZero();
    List<RobotObservation> again = new ArrayList<>();
    play(again, 5);
    assertThat(sequence(again)).isEqualTo(sequence(first));
    assertThat(again.getFirst().getFrames()).isEqualTo(first.getFirst().getFrames());
    assertThat(again.getLast().getState()).isEqualTo(first.getLast().getState());
  }

  @Test
  void observationsAreCompleteAndPicturesComeEveryOtherTime() throws Exception {
    List<RobotObservation> sent = new ArrayList<>();
    play(sent, 1);
    assertThat(sent)
        .allSatisfy(
            observation -> {
              assertThat(observation.getFrames())
                  .extracting(frame -> frame.getCamera())
                  .containsExactly("top", "wrist");
              assertThat(observation.getState()).hasSize(4);
              boolean pictures = observation.getSequence() % 2 == 0;
              assertThat(observation.getFrames())
                  .allMatch(frame -> frame.getData().hasRemaining() == pictures);
              assertThat(observation.getPrompt() != null).isEqualTo(observation.getSequence() == 0);
            });
    assertThat(
            sent.stream()
                .filter(observation -> observation.getSequence() % 2 == 0)
                .map(observation -> observation.getFrames().getFirst().getData())
                .distinct())
        .hasSize(
            (int) sent.stream().filter(observation -> observation.getSequence() % 2 == 0).count());
  }

  private static FleetReport play(List<RobotObservation> sent, long seed) throws Exception {
    FleetSettings settings =
        new FleetSettings(
            KafkaSettings.defaults("nowhere:1"),
            3,
            Duration.ofSeconds(1),
            new FleetSettings.Body(List.of("top", "wrist"), 8, 4, "lift"),
            new FleetSettings.Rhythm(
                10, 2, Duration.ofMillis(50), Duration.ZERO, 0, Optional.empty()),
            Duration.ofSeconds(1),
            "test",
            seed);
    AtomicReference<FleetRun> run = new AtomicReference<>();
    run.set(
        new FleetRun(
            settings,
            observation -> {
              sent.add(observation);
              run.get().answered(chunk(observation, "arm-of-others", "test-0"));
              run.get().answered(chunk(observation, observation.getRobot(), "others-0"));
              run.get()
                  .answered(chunk(observation, observation.getRobot(), observation.getEpisode()));
            },
            Instant.now()));
    return run.get().play(Duration.ofSeconds(5));
  }

  /** Robots, sequences: what does not depend on the machine. */
  private static List<String> sequence(List<RobotObservation> sent) {
    return sent.stream().map(o -> o.getRobot() + "/" + o.getSequence()).sorted().toList();
  }

  private static ActionChunk chunk(RobotObservation to, String robot, String episode) {
    return ActionChunk.newBuilder()
        .setRobot(robot)
        .setEpisode(episode)
        .setSequence(to.getSequence())
        .setObservedAt(to.getObservedAt())
        .setHorizon(50)
        .setActionDimensions(1)
        .setActions(List.of())
        .setCheckpoint("digest")
        .setDevice("fake/fp32")
        .setBatchSize(1)
        .setQueueMicros(0)
        .setVisionMicros(0)
        .setPrefixMicros(0)
        .setDenoiseMicros(0)
        .setSourceTopic("observations")
        .setSourcePartition(0)
        .setSourceOffset(0)
        .build();
  }
}
