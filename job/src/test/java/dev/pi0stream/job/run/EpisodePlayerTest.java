package dev.pi0stream.job.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pi0stream.operators.dataset.Episode;
import dev.pi0stream.operators.dataset.EpisodeReader;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import dev.pi0stream.operators.dataset.Step;
import dev.pi0stream.schemas.CameraFrame;
import dev.pi0stream.schemas.FrameEncoding;
import dev.pi0stream.schemas.RobotObservation;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EpisodePlayerTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private static final int LENGTH = 16;

  private final LeRobotDataset dataset = LeRobotDataset.open(Path.of("../tests/datasets/images"));
  private final Episode episode = dataset.episodes().getFirst();
  private final CameraMapping cameras =
      CameraMapping.of(
          List.of("base", "wrist"), dataset.cameras(), Map.of("base", "top"), name -> name);
  private final List<RobotObservation> sent = new ArrayList<>();

  @AfterEach
  void close() {
    dataset.close();
  }

  @Test
  void everyStepIsSentAtItsTime() throws Exception {
    VirtualPace pace = new VirtualPace(START.plusMillis(1550));
    player(10, pace).play(START);
    assertThat(sent)
        .extracting(o -> Duration.between(START, o.getObservedAt()).toMillis())
        .containsExactlyElementsOf(IntStream.range(0, 16).mapToObj(i -> i * 100L).toList());
    assertThat(sent)
        .extracting(RobotObservation::getSequence)
        .containsExactlyElementsOf(IntStream.range(0, 16).mapToObj(i -> (long) i).toList());
  }

  @Test
  void theEpisodeBeginsAgainUnderANewName() throws Exception {
    VirtualPace pace = new VirtualPace(START.plusMillis(4000));
    player(10, pace).play(START);
    assertThat(sent).hasSize(40);
    assertThat(sent.subList(0, LENGTH))
        .extracting(RobotObservation::getEpisode)
        .containsOnly("s-0");
    assertThat(sent.subList(LENGTH, 2 * LENGTH))
        .extracting(RobotObservation::getEpisode)
        .containsOnly("s-1");
    assertThat(sent.get(LENGTH).getSequence()).isZero();
    assertThat(sent.get(LENGTH).getObservedAt()).isEqualTo(START.plusMillis(1600));
    assertThat(sent.getLast().getEpisode()).isEqualTo("s-2");
  }

  @Test
  void theSpeedIsThatOfTheSteps() throws Exception {
    VirtualPace pace = new VirtualPace(START.plusSeconds(1));
    player(30, pace).play(START);
    assertThat(sent).hasSize(30);
    assertThat(Duration.between(START, sent.get(29).getObservedAt()).toNanos() / 1e9)
        .isEqualTo(29 / 30.0, within(1e-6));
  }

  @Test
  void aLateStepDoesNotDelayTheOthers() throws Exception {
    VirtualPace pace = new VirtualPace(START.plusMillis(1000));
    EpisodePlayer player = player(10, pace);
    pace.now = START.plusMillis(350);
    player.play(START);
    assertThat(sent)
        .extracting(o -> Duration.between(START, o.getObservedAt()).toMillis())
        .containsExactly(350L, 350L, 350L, 350L, 400L, 500L, 600L, 700L, 800L, 900L);
    assertThat(player.behind()).isZero();
  }

  @Test
  void whatIsSentIsWhatWasLogged() throws Exception {
    player(10, new VirtualPace(START.plusMillis(1550))).play(START);
    try (EpisodeReader steps = dataset.read(episode)) {
      for (RobotObservation observation : sent) {
        Step step = steps.next();
        assertThat(observation.getRobot()).isEqualTo("arm");
        assertThat(observation.getPrompt()).isEqualTo(step.task());
        assertThat(observation.getState()).hasSize(3).first().isEqualTo(step.state()[0]);
        assertThat(observation.getFrames())
            .extracting(CameraFrame::getCamera)
            .containsExactly("base", "wrist");
        CameraFrame base = observation.getFrames().getFirst();
        assertThat(base.getEncoding()).isEqualTo(FrameEncoding.RGB8);
        assertThat(List.of(base.getWidth(), base.getHeight())).containsExactly(112, 112);
        assertThat(base.getData().array()).isEqualTo(step.frames().get("top").data());
      }
    }
  }

  @Test
  void theLogHoldsTheActions() {
    List<float[]> actions = player(10, new VirtualPace(START)).actions();
    assertThat(actions).hasSize(LENGTH);
    assertThat(actions.getFirst()).hasSize(3);
  }

  private EpisodePlayer player(double stepsPerSecond, Pace pace) {
    return new EpisodePlayer(
        "arm", "s", dataset, episode, cameras, stepsPerSecond, pace, sent::add);
  }

  /** Time that passes only while somebody waits, until the end. */
  private static final class VirtualPace implements Pace {
    private final Instant end;
    private Instant now = START;

    VirtualPace(Instant end) {
      this.end = end;
    }

    @Override
    public Instant now() {
      return now;
    }

    @Override
    public boolean awaitUntil(Instant moment) {
      if (!moment.isBefore(end)) {
        return false;
      }
      if (moment.isAfter(now)) {
        now = moment;
      }
      return true;
    }
  }
}
