package dev.pi0stream.operators.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.pi0stream.model.engine.IdentityNoise;
import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.session.ResolvedObservation;
import dev.pi0stream.operators.source.SourcePosition;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReplayIdentitiesTest {
  private static final SourcePosition PLACE = new SourcePosition("t", 0, 1);

  @Test
  void eachObservationIsARobotOfItsOwn() {
    assertThat(LoneIdentity.alone(observation("r", "e", 1)).robot())
        .isNotEqualTo(LoneIdentity.alone(observation("r", "e", 2)).robot());
    assertThat(LoneIdentity.alone(observation("r", "e", 1)).deadline()).isNull();
  }

  @Test
  void outcomesGetTheTrueNameBack() {
    for (String robot : List.of("r", "r\ne\n1", "")) {
      ResolvedObservation alone = LoneIdentity.alone(observation(robot, "e", 1));
      Outcome outcome =
          new Outcome(
              PLACE,
              Outcome.Kind.REJECTED,
              alone.robot(),
              alone.episode(),
              alone.sequence(),
              "because",
              null,
              Instant.EPOCH);
      assertThat(LoneIdentity.named(outcome).robot()).isEqualTo(robot);
    }
  }

  @Test
  void noiseIsThatOfTheLiveRobot() {
    ResolvedObservation alone = LoneIdentity.alone(observation("r", "e", 5));
    assertThat(
            LoneIdentity.noise(new IdentityNoise(7))
                .draw(new ObservationId(alone.robot(), alone.episode(), alone.sequence()), 8))
        .isEqualTo(new IdentityNoise(7).draw(new ObservationId("r", "e", 5), 8));
  }

  @Test
  void stepsHaveNames() {
    StepIdentity step = new StepIdentity(12, 7, 3);
    assertThat(StepIdentity.of(step.robot(), step.episodeName(), 7)).isEqualTo(step);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> StepIdentity.of("robot-1", "episode-1", 7))
        .withMessageContaining("'robot-1' is none of a replayed dataset");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> StepIdentity.episode("pass-0"))
        .withMessageContaining("'pass-0' is none of a replayed dataset");
  }

  @Test
  void splitsSurviveACheckpoint() throws IOException {
    EpisodeSplit.ListSerializer serializer = new EpisodeSplit.ListSerializer();
    List<EpisodeSplit> splits = List.of(new EpisodeSplit(3, 17), new EpisodeSplit(4, 0));
    assertThat(serializer.deserialize(serializer.getVersion(), serializer.serialize(splits)))
        .isEqualTo(splits);
    EpisodeSplit.Serializer single = new EpisodeSplit.Serializer();
    assertThat(single.deserialize(1, single.serialize(splits.getFirst())))
        .isEqualTo(splits.getFirst());
  }

  private static ResolvedObservation observation(String robot, String episode, long sequence) {
    return new ResolvedObservation(
        PLACE,
        robot,
        episode,
        sequence,
        Instant.EPOCH,
        Instant.EPOCH,
        "go",
        new float[] {1},
        Map.of(),
        null);
  }
}
