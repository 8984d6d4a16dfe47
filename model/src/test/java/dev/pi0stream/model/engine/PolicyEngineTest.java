package dev.pi0stream.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.model.engine.PolicyOutcome.Chunk;
import dev.pi0stream.model.engine.PolicyOutcome.Expired;
import dev.pi0stream.model.engine.PolicyOutcome.Rejected;
import dev.pi0stream.model.engine.PolicyOutcome.Superseded;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** The engine on a clock and on executors that the test moves step by step. */
class PolicyEngineTest {
  private Instant now = Instant.EPOCH;
  private final Steps device = new Steps();
  private final Steps preparation = new Steps();
  private final EchoPolicy policy = new EchoPolicy();
  private final List<SetAlarm> alarms = new ArrayList<>();
  private final PolicyEngine engine = engine(4);
  private final List<CompletableFuture<PolicyOutcome>> asked = new ArrayList<>();

  private PolicyEngine engine(int maxBatch) {
    return engine(maxBatch, new FewestStarved());
  }

  private PolicyEngine engine(int maxBatch, DispatchRule rule) {
    return new PolicyEngine(
        policy,
        new IdentityNoise(0),
        new Surroundings(() -> now, this::setAlarm, device, preparation),
        new EngineSettings(maxBatch, rule, Duration.ofSeconds(30)),
        new LatencyCurve());
  }

  private record SetAlarm(Instant when, Runnable action) {}

  private Runnable setAlarm(Instant when, Runnable action) {
    SetAlarm alarm = new SetAlarm(when, action);
    alarms.add(alarm);
    return () -> alarms.remove(alarm);
  }

  /** Lets time pass, and the alarms ring that are due. */
  private void ring(Duration after) {
    now = now.plus(after);
    for (SetAlarm alarm : List.copyOf(alarms)) {
      if (!alarm.when().isAfter(now)) {
        alarms.remove(alarm);
        alarm.action().run();
      }
    }
  }

  @Test
  void startsAtOnceWhenTheDeviceIsIdle() {
    CompletableFuture<PolicyOutcome> outcome = engine.submit(request("a", 0));
    now = now.plusMillis(5);
    preparation.runAll();
    assertThat(device.steps).hasSize(1);
    now = now.plusMillis(7);
    device.runAll();
    Chunk chunk = (Chunk) outcome.join();
    assertThat(chunk.actions()).containsExactly(0, 0, 0, 0);
    assertThat(chunk.timing().batchSize()).isEqualTo(1);
    assertThat(chunk.timing().queued()).isEqualTo(Duration.ofMillis(5));
  }

  @Test
  void whatArrivesWhileTheDeviceIsBusyFormsTheNextBatch() {
    occupy(engine);
    List<CompletableFuture<PolicyOutcome>> later = new ArrayList<>();
    for (String robot : List.of("b", "c", "d")) {
      later.add(engine.submit(request(robot, robot.charAt(0))));
    }
    preparation.runAll();
    device.runAll();
    assertThat(policy.batches).containsExactly(1, 3);
    assertThat(later)
        .extracting(outcome -> ((Chunk) outcome.join()).actions()[0])
        .containsExactly((float) 'b', (float) 'c', (float) 'd');
  }

  @Test
  void aNewerObservationTakesThePlaceOfTheWaitingOneOfItsRobotOnly() {
    CompletableFuture<PolicyOutcome> running = engine.submit(request("a", 0));
    preparation.runAll();
    CompletableFuture<PolicyOutcome> stale = engine.submit(request("a", 1));
    CompletableFuture<PolicyOutcome> other = engine.submit(request("b", 7));
    CompletableFuture<PolicyOutcome> fresh = engine.submit(request("a", 2));
    assertThat(stale.join()).isEqualTo(new Superseded(request("a", 2).id()));
    preparation.runAll();
    device.runAll();
    assertThat(List.of(running.join(), other.join(), fresh.join()))
        .allMatch(outcome -> outcome instanceof Chunk);
    assertThat(policy.prepared).containsExactly(0L, 7L, 2L);
  }

  @Test
  void aLateObservationDoesNotReplaceANewerOne() {
    occupy(engine);
    CompletableFuture<PolicyOutcome> newer = engine.submit(request("a", 9));
    CompletableFuture<PolicyOutcome> late = engine.submit(request("a", 8));
    assertThat(late.join()).isEqualTo(new Superseded(request("a", 9).id()));
    preparation.runAll();
    device.runAll();
    assertThat(newer.join()).isInstanceOf(Chunk.class);
  }

  @Test
  void anotherEpisodeIsNewerByArrival() {
    occupy(engine);
    CompletableFuture<PolicyOutcome> old = engine.submit(request("a", 99));
    PolicyRequest next =
        new PolicyRequest(new ObservationId("a", "next", 0), observation(1), null, null);
    CompletableFuture<PolicyOutcome> first = engine.submit(next);
    assertThat(old.join()).isEqualTo(new Superseded(next.id()));
    preparation.runAll();
    device.runAll();
    assertThat(first.join()).isInstanceOf(Chunk.class);
  }

  @Test
  void aDeadlineThatPassedWhileWaitingExpires() {
    occupy(engine);
    CompletableFuture<PolicyOutcome> hurried =
        engine.submit(deadline(request("a", 0), Duration.ofMillis(10)));
    CompletableFuture<PolicyOutcome> patient =
        engine.submit(deadline(request("b", 0), Duration.ofMillis(30)));
    preparation.runAll();
    now = now.plusMillis(20);
    device.runAll();
    assertThat(hurried.join()).isInstanceOf(Expired.class);
    assertThat(patient.join()).isInstanceOf(Chunk.class);
  }

  @Test
  void aBatchTakesThoseWhomTheRuleChooses() {
    PolicyEngine narrow = engine(2, new EarliestDeadline());
    occupy(narrow);
    for (PolicyRequest request :
        List.of(
            request("old", 1),
            request("young", 2),
            deadline(request("later", 3), Duration.ofSeconds(9)),
            deadline(request("sooner", 4), Duration.ofSeconds(8)))) {
      asked.add(narrow.submit(request));
      now = now.plusMillis(1);
    }
    preparation.runAll();
    device.runAll();
    assertThat(policy.served).containsExactly(0L, 4L, 3L, 1L, 2L);
    assertThat(policy.batches).containsExactly(1, 2, 2);
  }

  @Test
  void whatCannotBePreparedIsRejectedAndHoldsNobodyUp() {
    CompletableFuture<PolicyOutcome> foreseen = engine.submit(request("a", -1));
    CompletableFuture<PolicyOutcome> unforeseen = engine.submit(request("b", -2));
    CompletableFuture<PolicyOutcome> good = engine.submit(request("c", 3));
    preparation.runAll();
    device.runAll();
    assertThat(foreseen.join()).isEqualTo(new Rejected("no picture"));
    assertThat(((Rejected) unforeseen.join()).reason()).contains("cannot be prepared");
    assertThat(good.join()).isInstanceOf(Chunk.class);
  }

  @Test
  void actionsThatAreNotFiniteNeverReachARobot() {
    policy.result = x -> new float[] {0, 1, Float.NaN, 0};
    CompletableFuture<PolicyOutcome> outcome = engine.submit(request("a", 0));
    preparation.runAll();
    device.runAll();
    assertThat(((Rejected) outcome.join()).reason())
        .isEqualTo("action 1 of the chunk is NaN in dimension 0: expected a finite number");
  }

  @Test
  void aFaultFailsEveryRequestAndEndsTheEngine() {
    CompletableFuture<PolicyOutcome> running = engine.submit(request("a", 0));
    preparation.runAll();
    CompletableFuture<PolicyOutcome> waiting = engine.submit(request("b", 0));
    policy.result =
        x -> {
          throw new DeviceException("the card is gone");
        };
    preparation.runAll();
    device.runAll();
    for (CompletableFuture<PolicyOutcome> outcome :
        List.of(running, waiting, engine.submit(request("c", 0)))) {
      assertThatThrownBy(outcome::join).hasRootCauseMessage("the card is gone");
    }
    assertThat(engine.hasEnded()).isTrue();
  }

  @Test
  void whoHearsOfAFaultFindsTheEngineEnded() {
    List<Boolean> ended = new ArrayList<>();
    CompletableFuture<PolicyOutcome> heard =
        engine.submit(request("a", 0)).whenComplete((_, _) -> ended.add(engine.hasEnded()));
    preparation.runAll();
    policy.result =
        _ -> {
          throw new DeviceException("the card is gone");
        };
    device.runAll();
    assertThat(heard).isCompletedExceptionally();
    assertThat(ended).containsExactly(true);
  }

  @Test
  void aBatchThatDoesNotComeBackEndsTheEngineLoudly() {
    occupy(engine);
    device.runAll();
    CompletableFuture<PolicyOutcome> stuck = engine.submit(request("a", 0));
    preparation.runAll();
    CompletableFuture<PolicyOutcome> waiting = engine.submit(request("b", 0));
    preparation.runAll();
    ring(Duration.ofSeconds(29));
    assertThat(engine.hasEnded()).isFalse();
    ring(Duration.ofSeconds(1));
    assertThat(engine.hasEnded()).isTrue();
    for (CompletableFuture<PolicyOutcome> outcome : List.of(stuck, waiting)) {
      assertThatThrownBy(outcome::join)
          .hasRootCauseInstanceOf(DeviceException.class)
          .hasRootCauseMessage("the device hangs: a batch of 1 has not ended within 30.0 s");
    }
    device.runAll();
    assertThat(policy.batches).as("nothing is begun on a device that hung").containsExactly(1, 1);
  }

  @Test
  void theFirstBatchOfADeviceOfWhichNothingIsKnownMayTakeLonger() {
    occupy(engine);
    ring(Duration.ofSeconds(599));
    assertThat(engine.hasEnded()).isFalse();
    ring(Duration.ofSeconds(1));
    assertThat(engine.hasEnded()).isTrue();
  }

  @Test
  void theAlarmOfABatchThatEndedIsTakenBack() {
    occupy(engine);
    assertThat(alarms).hasSize(1);
    device.runAll();
    assertThat(alarms).isEmpty();
  }

  @Test
  void aRuleThatFailsEndsTheEngineLoudly() {
    PolicyEngine broken =
        engine(
            4,
            (_, _, _, _) -> {
              throw new ArithmeticException("long overflow");
            });
    CompletableFuture<PolicyOutcome> outcome = broken.submit(request("a", 1));
    preparation.runAll();
    assertThat(outcome)
        .failsWithin(Duration.ZERO)
        .withThrowableThat()
        .withMessageContaining("the dispatch rule failed")
        .withMessageContaining("long overflow");
  }

  @Test
  void aRuleThatWaitsIsAskedAgain() {
    PolicyEngine patient = engine(4, new SizeOrTimer(Duration.ofMillis(20)));
    asked.add(patient.submit(request("a", 1)));
    preparation.runAll();
    assertThat(device.steps).isEmpty();
    now = now.plusMillis(5);
    asked.add(patient.submit(request("b", 2)));
    preparation.runAll();
    assertThat(device.steps).isEmpty();
    ring(Duration.ofMillis(15));
    device.runAll();
    assertThat(policy.batches).containsExactly(2);
  }

  @Test
  void aRobotThatSendsOftenNeitherOvertakesNorWaitsForEver() {
    PolicyEngine narrow = engine(1, new FirstInFirstOut());
    occupy(narrow);
    asked.add(narrow.submit(request("chatty", 10)));
    now = now.plusMillis(1);
    asked.add(narrow.submit(request("quiet", 20)));
    now = now.plusMillis(1);
    asked.add(narrow.submit(request("chatty", 11)));
    preparation.runAll();
    device.steps.remove().run();
    asked.add(narrow.submit(request("chatty", 12)));
    preparation.runAll();
    device.steps.remove().run();
    asked.add(narrow.submit(request("chatty", 13)));
    preparation.runAll();
    device.runAll();
    assertThat(policy.served).containsExactly(0L, 11L, 20L, 13L);
  }

  @Test
  void aWithdrawnRequestIsNotServed() {
    occupy(engine);
    CompletableFuture<PolicyOutcome> withdrawn = engine.submit(request("a", 5));
    preparation.runAll();
    withdrawn.cancel(false);
    device.runAll();
    assertThat(policy.served).containsExactly(0L);
  }

  @Test
  void closingFailsWhatWaitsAndLetsTheRunningBatchEnd() {
    CompletableFuture<PolicyOutcome> running = engine.submit(request("a", 0));
    preparation.runAll();
    CompletableFuture<PolicyOutcome> waiting = engine.submit(request("b", 0));
    engine.close();
    device.runAll();
    assertThat(running.join()).isInstanceOf(Chunk.class);
    assertThatThrownBy(waiting::join).hasMessageContaining("closed");
    assertThatThrownBy(() -> engine.submit(request("c", 0)).join()).hasMessageContaining("closed");
  }

  /** Puts a request of number 0 on the device, where it stays until the test lets it run. */
  private void occupy(PolicyEngine engine) {
    asked.add(engine.submit(request("occupier", 0)));
    preparation.runAll();
  }

  private static PolicyRequest request(String robot, long sequence) {
    return new PolicyRequest(
        new ObservationId(robot, "episode", sequence), observation(sequence), null, null);
  }

  private static Observation observation(long number) {
    return new Observation(Map.of(), new float[] {number}, "");
  }

  private PolicyRequest deadline(PolicyRequest request, Duration after) {
    return new PolicyRequest(request.id(), request.observation(), now.plus(after), null);
  }

  /** Runs what it is given when the test says so. */
  private static final class Steps implements Executor {
    private final Deque<Runnable> steps = new ArrayDeque<>();

    @Override
    public void execute(Runnable step) {
      steps.add(step);
    }

    void runAll() {
      while (!steps.isEmpty()) {
        steps.remove().run();
      }
    }
  }

  /** Two actions of two numbers, all of them the observation's state. */
  private static final class EchoPolicy implements ServedPolicy {
    private final List<Integer> batches = new ArrayList<>();
    private final List<Long> prepared = new ArrayList<>();
    private final List<Long> served = new ArrayList<>();
    private UnaryOperator<float[]> result = UnaryOperator.identity();

    @Override
    public ModelInput prepare(Observation observation) {
      long number = (long) observation.state()[0];
      if (number == -1) {
        throw new IllegalArgumentException("no picture");
      }
      if (number == -2) {
        throw new IllegalStateException("a bug");
      }
      prepared.add(number);
      return new ModelInput(List.of(), new int[0], observation.state());
    }

    @Override
    public Inference infer(List<Sample> batch) {
      batches.add(batch.size());
      List<float[]> x = new ArrayList<>();
      for (Sample sample : batch) {
        float number = sample.input().state()[0];
        served.add((long) number);
        x.add(result.apply(new float[] {number, number, number, number}));
      }
      return new Inference(x, Duration.ZERO, Duration.ZERO, Duration.ZERO);
    }

    @Override
    public float[] actions(float[] x, Observation observation) {
      return x;
    }

    @Override
    public List<String> cameras() {
      return List.of();
    }

    @Override
    public int stateDimensions() {
      return 1;
    }

    @Override
    public int horizon() {
      return 2;
    }

    @Override
    public int actionDimensions() {
      return 2;
    }

    @Override
    public int noiseSize() {
      return 4;
    }

    @Override
    public Optional<String> refusal(Observation observation) {
      return Optional.empty();
    }

    @Override
    public String checkpointDigest() {
      return "";
    }

    @Override
    public String deviceLabel() {
      return "none";
    }
  }
}
