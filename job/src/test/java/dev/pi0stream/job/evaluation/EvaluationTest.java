package dev.pi0stream.job.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class EvaluationTest {
  private static final double FPS = 10;
  private static final List<String> STATE = List.of("x", "opening");
  private static final List<String> ACTION = List.of("dx", "opening");
  private static final List<JointGroup> GROUPS = JointGroup.of(ACTION, 2);

  /** Forth for six steps, back for six; the gripper shuts at step 4. */
  private static final LoggedEpisode EPISODE = episode(4);

  private final LoggedMotion motion = motion(EPISODE);

  @Test
  void chunksThatAreTheLogHaveNoError() {
    EvaluationReport report = evaluate(predictions(0, 0), 1);
    assertThat(report.error().all().meanAbs()).isZero();
    assertThat(report.error().all().count()).isEqualTo(2 * (9 * 4 + 3 + 2 + 1));
    assertThat(report.consistency().meanAbs()).isZero();
    assertThat(report.outsideLoggedRange().share()).isZero();
    assertThat(report.error().groups()).containsOnlyKeys("arm", "gripper");
    assertThat(report.error().critical().get(CriticalInterval.Kind.GRIPPER_CHANGE).intervals())
        .isEqualTo(1);
  }

  @Test
  void errorsAreInUnitsAndInDeviationsOfTheLog() {
    EvaluationReport report = evaluate(predictions(0.5f, 0), 1);
    assertThat(report.error().dimensions().get("dx").meanAbs()).isCloseTo(0.5, within(1e-6));
    assertThat(report.error().dimensions().get("opening").meanAbs()).isZero();
    assertThat(report.error().dimensions().get("dx").normalisedMeanAbs())
        .isCloseTo(0.5 / motion.deviation(0), within(1e-6));
    assertThat(report.error().all().meanAbs()).isCloseTo(0.25, within(1e-6));
    assertThat(report.error().steps()).hasSize(4);
    assertThat(report.error().groupSteps().get("arm").getFirst().rmse())
        .isCloseTo(0.5, within(1e-6));
    // 1.5 is beyond the logged 1, −0.5 is not.
    assertThat(report.outsideLoggedRange().share()).isPositive();
    assertThat(report.outsideLoggedRange().worstExcess()).isCloseTo(0.25, within(1e-6));
  }

  @Test
  void theWorstMomentIsTheStepThatIsFarthest() {
    List<Prediction> predictions = new ArrayList<>(predictions(0, 0));
    float[] far = predictions.get(7).actions().clone();
    far[2] += 3;
    predictions.set(7, prediction(7, 0, far));
    Moment worst = evaluate(predictions, 1).worst().getFirst();
    assertThat(worst.frame()).isEqualTo(7);
    assertThat(worst.step()).isEqualTo(1);
    assertThat(worst.dimension()).isEqualTo("dx");
    assertThat(worst.predicted() - worst.logged()).isCloseTo(3, within(1e-6f));
  }

  @Test
  void aPolicyThatIsLateIsRightWhenItIsAligned() {
    EvaluationReport report = evaluate(predictions(0, 1), 1);
    CriticalFigures gripper = report.error().critical().get(CriticalInterval.Kind.GRIPPER_CHANGE);
    assertThat(gripper.error().normalisedMeanAbs()).isPositive();
    assertThat(gripper.alignedNormalisedMeanAbs()).isZero();
    assertThat(gripper.meanLagSteps()).isEqualTo(1);
  }

  @Test
  void samplesThatDifferSpread() {
    List<Prediction> samples = new ArrayList<>();
    for (Prediction first : predictions(0, 0)) {
      samples.add(first);
      float[] other = first.actions().clone();
      for (int i = 0; i < other.length; i += 2) {
        other[i] += 2;
      }
      samples.add(prediction(first.frame(), 1, other));
    }
    EvaluationReport report = evaluate(samples, 2);
    // Two numbers that are 2 apart deviate by √2; every second number is equal.
    assertThat(report.spread().mean())
        .isCloseTo(Math.sqrt(2) / motion.deviation(0) / 2, within(1e-6));
    // Each sample is consistent with itself.
    assertThat(report.consistency().max()).isZero();
    assertThat(evaluate(predictions(0, 0), 1).spread()).isNull();
  }

  @Test
  void jerkOfTheLogIsThatOfTheLog() {
    EvaluationReport report = evaluate(predictions(0, 0), 1);
    assertThat(report.jerk().logged()).isPositive();
    // Chunks of four have one third difference each: that of the log where they begin.
    assertThat(report.jerk().predicted()).isPositive();
  }

  @Test
  void criticalIntervalsFollowTheirRule() {
    List<CriticalInterval> found = CriticalInterval.of(EPISODE, motion, GROUPS, FPS);
    assertThat(found)
        .contains(new CriticalInterval(CriticalInterval.Kind.GRIPPER_CHANGE, 2, 6))
        .contains(new CriticalInterval(CriticalInterval.Kind.REVERSAL, 4, 8));
  }

  @Test
  void aSlowWayToAGripperChangeIsAnApproach() {
    List<float[]> states = new ArrayList<>();
    List<float[]> actions = new ArrayList<>();
    float x = 0;
    for (int t = 0; t < 20; t++) {
      float speed = t >= 6 && t < 10 ? 0.1f : 1;
      states.add(new float[] {x, 1});
      actions.add(new float[] {speed, t < 10 ? 1 : 0});
      x += speed;
    }
    LoggedEpisode slow = new LoggedEpisode(0, states, actions, Collections.nCopies(20, "go"));
    assertThat(CriticalInterval.of(slow, motion(slow), GROUPS, FPS))
        .contains(new CriticalInterval(CriticalInterval.Kind.APPROACH, 6, 9));
  }

  @Test
  void aPolicyThatIsFastEnoughStarvesNoTick() {
    assertThat(Starvation.of(timed(0.05), 12, FPS)).isEqualTo(new Starvation(11, 0));
  }

  @Test
  void aPolicyThatIsSlowerThanItsChunksStarves() {
    // The first answer is there at 0.14 s, after tick 1; then every chunk comes before it is
    // needed.
    assertThat(Starvation.of(timed(0.14), 12, FPS).starved()).isEqualTo(1);
    // Answers at 0.6 and 1.2 s: a chunk of four for step 0 has nothing for tick 6, when it comes.
    assertThat(Starvation.of(timed(0.6), 12, FPS)).isEqualTo(new Starvation(11, 11));
  }

  @Test
  void groupsAreToldByNames() {
    assertThat(JointGroup.of(List.of("left_waist", "left_gripper", "right_waist", "x"), 4))
        .containsExactly(
            new JointGroup("left arm", List.of(0), false),
            new JointGroup("left gripper", List.of(1), true),
            new JointGroup("right arm", List.of(2), false),
            new JointGroup("arm", List.of(3), false));
    assertThat(JointGroup.of(List.of(), 2))
        .containsExactly(new JointGroup("action", List.of(0, 1), false));
  }

  private static LoggedEpisode episode(int shuts) {
    List<float[]> states = new ArrayList<>();
    List<float[]> actions = new ArrayList<>();
    float x = 0;
    for (int t = 0; t < 12; t++) {
      float dx = t < 6 ? 1 : -1;
      states.add(new float[] {x, t < shuts ? 1 : 0});
      actions.add(new float[] {dx, t < shuts ? 1 : 0});
      x += dx;
    }
    return new LoggedEpisode(0, states, actions, Collections.nCopies(12, "go"));
  }

  private static LoggedMotion motion(LoggedEpisode episode) {
    LoggedMotion.Builder builder = new LoggedMotion.Builder(STATE, 2, 2);
    builder.add(episode);
    return builder.build();
  }

  private EvaluationReport evaluate(List<Prediction> predictions, int samples) {
    Evaluation evaluation = new Evaluation(motion, ACTION, GROUPS, FPS, samples);
    evaluation.add(EPISODE, predictions, EPISODE.length());
    return evaluation.report();
  }

  /** Chunks of four for every step: the log some steps ago, moved by some units. */
  private static List<Prediction> predictions(float offset, int late) {
    List<Prediction> predictions = new ArrayList<>();
    for (int t = 0; t < EPISODE.length(); t++) {
      float[] actions = new float[8];
      for (int k = 0; k < 4; k++) {
        int at = Math.clamp(t + k - late, 0, EPISODE.length() - 1);
        actions[2 * k] = EPISODE.actions().get(at)[0] + offset;
        actions[2 * k + 1] = EPISODE.actions().get(at)[1];
      }
      predictions.add(prediction(t, 0, actions));
    }
    return predictions;
  }

  private static List<Prediction> timed(double seconds) {
    return predictions(0, 0).stream()
        .map(
            chunk ->
                new Prediction(
                    chunk.frame(),
                    0,
                    chunk.horizon(),
                    chunk.dimensions(),
                    chunk.actions(),
                    seconds,
                    1))
        .toList();
  }

  private static Prediction prediction(int frame, int sample, float[] actions) {
    return new Prediction(frame, sample, 4, 2, actions, 0.01, 1);
  }
}
