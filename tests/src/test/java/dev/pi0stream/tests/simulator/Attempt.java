package dev.pi0stream.tests.simulator;

import dev.pi0stream.model.engine.PolicyEngine;
import dev.pi0stream.model.engine.PolicyOutcome;
import dev.pi0stream.model.engine.PolicyRequest;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.operators.observation.DecodedObservation;
import dev.pi0stream.operators.observation.ObservationDecoder;
import dev.pi0stream.operators.observation.ObservationLimits;
import dev.pi0stream.operators.observation.UnreadableObservationException;
import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.outcome.OutcomeEncoder;
import dev.pi0stream.operators.outcome.WireRecord;
import dev.pi0stream.operators.policy.PolicyAnswer;
import dev.pi0stream.operators.session.RememberedSession;
import dev.pi0stream.operators.session.ResolvedObservation;
import dev.pi0stream.operators.session.SessionRules;
import dev.pi0stream.operators.source.SourcePosition;
import dev.pi0stream.operators.source.SourceRecord;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * The job's tasks between two failures, with the project's own decoder, session rules, engine,
 * answers and encoder: source and decoder; sessions and policy, as Flink's asynchronous operator
 * keeps what is in flight; router and sink. Each does one small thing at a time, whenever virtual
 * time lets it, so that a failure may fall between any two of them.
 */
final class Attempt {
  static final Duration TIMEOUT = Duration.ofSeconds(8);
  private static final int CHANNEL = 16;
  private static final int IN_FLIGHT = 12;

  private final SimulatedJob job;
  private final VirtualTime time;
  private final SimulatedBroker broker;
  private final PolicyEngine engine;
  private final ObservationDecoder decoder = new ObservationDecoder(ObservationLimits.DEFAULT);
  private final OutcomeEncoder encoder;
  private final int[] offsets;
  private final Map<String, RememberedSession> sessions;
  private final Channel<DecodedObservation> observations = new Channel<>();
  private final Channel<Outcome> rejections = new Channel<>();
  private final Channel<Outcome> answers = new Channel<>();
  private final Map<SourcePosition, InFlight> inFlight = new LinkedHashMap<>();
  private final Deque<Outcome> mailbox = new ArrayDeque<>();
  private final Deque<Written> sink = new ArrayDeque<>();
  private final Step source = new Step(this::readOne);
  private final Step policy = new Step(this::serveOne);
  private final Step router = new Step(this::routeOne);
  private final Step writer = new Step(this::writeOne);
  private Barrier trigger;
  private Snapshot snapshot;
  private boolean flushing;
  private boolean alive = true;

  /** A record on its way to the broker. */
  private record Written(SimulatedBroker.Message message, boolean chunk) {}

  /** An observation at the engine. */
  private static final class InFlight {
    private final ResolvedObservation observation;
    private CompletableFuture<PolicyOutcome> answer;
    private Runnable timer = () -> {};
    private boolean answered;

    InFlight(ResolvedObservation observation) {
      this.observation = observation;
    }
  }

  /** The parts of a checkpoint that are there already. */
  private static final class Snapshot {
    private int[] offsets;
    private Map<String, RememberedSession> sessions;
    private List<ResolvedObservation> inFlight;
    private List<DecodedObservation> overtaken;
    private List<Outcome> answered;
  }

  /** One of the tasks: does one thing some time after it was woken. */
  private final class Step {
    private final Runnable action;
    private boolean due;

    Step(Runnable action) {
      this.action = action;
    }

    void wake() {
      wake(10, 300);
    }

    void wake(long fromMicros, long toMicros) {
      if (!due && alive) {
        due = true;
        time.within(
            fromMicros,
            toMicros,
            () -> {
              due = false;
              if (alive) {
                action.run();
              }
            });
      }
    }
  }

  Attempt(SimulatedJob job, Checkpoint restored, PolicyEngine engine) {
    this.job = job;
    this.time = job.time();
    this.broker = job.broker();
    this.engine = engine;
    encoder = new OutcomeEncoder(ChronoUnit.MICROS.between(Instant.EPOCH, time.instant()));
    offsets = restored.offsets().clone();
    sessions = Checkpoint.copy(restored.sessions());
    restored.answered().forEach(answers::add);
    restored.overtaken().forEach(observations::add);
    restored.inFlight().forEach(this::ask);
    for (Step step : List.of(source, policy, router)) {
      step.wake();
    }
  }

  Map<String, RememberedSession> sessions() {
    return sessions;
  }

  /** There may be something to read. */
  void wakeSource() {
    source.wake();
  }

  /** Begins a checkpoint, unless one is under way. */
  void checkpoint(Barrier barrier) {
    if (trigger == null && snapshot == null) {
      trigger = barrier;
      source.wake();
    }
  }

  /**
   * Ends this attempt.
   *
   * @param onTheirWay how many records still reach the broker
   * @return what is not written any more
   */
  List<SimulatedBroker.Message> die(int onTheirWay) {
    alive = false;
    inFlight.values().forEach(this::withdraw);
    for (int i = 0; i < onTheirWay && !sink.isEmpty() && !broker.isStalled(); i++) {
      Written written = sink.remove();
      broker.write(written.message, written.chunk);
    }
    List<SimulatedBroker.Message> left = new ArrayList<>();
    sink.stream().filter(Written::chunk).forEach(written -> left.add(written.message));
    List<Outcome> unwritten = new ArrayList<>(answers.elements());
    unwritten.addAll(mailbox);
    unwritten.stream()
        .filter(outcome -> outcome.kind() == Outcome.Kind.CHUNK)
        .forEach(outcome -> left.add(message(outcome)));
    return left;
  }

  private void withdraw(InFlight entry) {
    entry.timer.run();
    if (entry.answer != null) {
      entry.answer.cancel(false);
    }
  }

  // ------------------------------------------------------------------ source and decoder

  private void readOne() {
    if (trigger != null) {
      snapshot = new Snapshot();
      snapshot.offsets = offsets.clone();
      observations.add(trigger);
      rejections.add(trigger);
      trigger = null;
      policy.wake();
      router.wake();
      source.wake();
      return;
    }
    if (broker.isStalled()) {
      source.wake(5_000, 20_000);
      return;
    }
    if (observations.size() >= CHANNEL) {
      return;
    }
    int first = job.random().nextInt(SimulatedBroker.PARTITIONS);
    for (int i = 0; i < SimulatedBroker.PARTITIONS; i++) {
      int partition = (first + i) % SimulatedBroker.PARTITIONS;
      SourceRecord message = broker.read(partition, offsets[partition]);
      if (message != null) {
        offsets[partition]++;
        decode(message);
        source.wake();
        return;
      }
    }
  }

  private void decode(SourceRecord message) {
    try {
      observations.add(decoder.decode(message));
      policy.wake();
    } catch (UnreadableObservationException e) {
      rejections.add(
          new Outcome(
              message.position(),
              Outcome.Kind.REJECTED,
              e.robot(),
              e.episode(),
              e.sequence(),
              e.getMessage(),
              null,
              time.instant()));
      router.wake();
    }
  }

  // ------------------------------------------------------------------ sessions and policy

  private void serveOne() {
    if (!mailbox.isEmpty()) {
      Outcome outcome = mailbox.remove();
      inFlight.remove(outcome.source());
      answers.add(outcome);
      router.wake();
      policy.wake();
      return;
    }
    if (observations.barrier().isPresent()) {
      Barrier barrier = observations.barrier().get();
      snapshot.overtaken = observations.removeBarrier();
      snapshot.sessions = Checkpoint.copy(sessions);
      snapshot.inFlight =
          job.isLosingInFlight()
              ? List.of()
              : inFlight.values().stream().map(entry -> entry.observation).toList();
      answers.add(barrier);
      router.wake();
      policy.wake();
      return;
    }
    if (observations.hasElement() && inFlight.size() < IN_FLIGHT) {
      take(observations.remove());
      source.wake();
      policy.wake();
    }
  }

  private void take(DecodedObservation observation) {
    SessionRules.Result result;
    try {
      result =
          SessionRules.take(
              observation,
              sessions.computeIfAbsent(observation.robot(), _ -> new RememberedSession()));
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    switch (result) {
      case SessionRules.Resolved resolved -> ask(resolved.observation());
      case SessionRules.Ended ended -> {
        answers.add(
            Outcome.ended(
                observation.source(),
                ended.kind(),
                observation.id(),
                ended.reason(),
                time.instant()));
        router.wake();
      }
    }
  }

  private void ask(ResolvedObservation resolved) {
    InFlight entry = new InFlight(resolved);
    inFlight.put(resolved.source(), entry);
    Observation observation =
        new Observation(resolved.frames(), resolved.state(), resolved.prompt());
    var refusal = engine.policy().refusal(observation);
    if (refusal.isPresent()) {
      answered(entry, PolicyAnswer.refused(resolved, refusal.get(), time.instant()));
      return;
    }
    entry.timer =
        time.set(
            time.instant().plus(TIMEOUT),
            () -> {
              entry.answer.cancel(false);
              answered(entry, PolicyAnswer.timedOut(resolved, TIMEOUT, time.instant()));
            });
    entry.answer =
        engine.submit(
            new PolicyRequest(
                resolved.id(), observation, resolved.deadline(), resolved.execution()));
    var _ =
        entry.answer.whenComplete(
            (outcome, fault) -> {
              if (alive && fault == null) {
                answered(entry, outcome);
              } else if (alive && !entry.answer.isCancelled()) {
                job.fail(this);
              }
            });
  }

  private void answered(InFlight entry, PolicyOutcome outcome) {
    if (outcome instanceof PolicyOutcome.Superseded && job.servesSuperseded()) {
      // The mutant's way: some time later it has a chunk even so.
      Outcome late = job.serveAlone(entry.observation);
      time.after(Duration.ofMillis(300), () -> answered(entry, late));
      return;
    }
    answered(entry, PolicyAnswer.of(entry.observation, outcome, engine.policy(), time.instant()));
  }

  private void answered(InFlight entry, Outcome outcome) {
    if (alive && !entry.answered) {
      entry.answered = true;
      entry.timer.run();
      mailbox.add(outcome);
      policy.wake();
    }
  }

  // ------------------------------------------------------------------ router and sink

  private void routeOne() {
    if (flushing) {
      return;
    }
    if (rejections.barrier().isPresent() && answers.barrier().isPresent()) {
      snapshot.answered = new ArrayList<>(rejections.removeBarrier());
      snapshot.answered.addAll(answers.removeBarrier());
      flushing = true;
      writer.wake();
      return;
    }
    boolean firstRejections = job.random().nextBoolean();
    Channel<Outcome> first = firstRejections ? rejections : answers;
    Channel<Outcome> second = firstRejections ? answers : rejections;
    for (Channel<Outcome> channel : List.of(first, second)) {
      if (channel.hasElement()) {
        Outcome outcome = channel.remove();
        for (int copies = job.copies(); copies > 0; copies--) {
          sink.add(new Written(message(outcome), outcome.kind() == Outcome.Kind.CHUNK));
        }
        writer.wake();
        router.wake();
        return;
      }
    }
  }

  private SimulatedBroker.Message message(Outcome outcome) {
    WireRecord encoded = encoder.encode(outcome);
    return new SimulatedBroker.Message(encoded.key(), encoded.value());
  }

  private void writeOne() {
    if (broker.isStalled()) {
      writer.wake(5_000, 20_000);
      return;
    }
    if (!sink.isEmpty()) {
      Written written = sink.remove();
      broker.write(written.message, written.chunk);
    }
    if (!sink.isEmpty()) {
      writer.wake();
    } else if (flushing) {
      flushing = false;
      Checkpoint complete =
          new Checkpoint(
              snapshot.offsets,
              snapshot.sessions,
              snapshot.inFlight,
              snapshot.overtaken,
              snapshot.answered);
      snapshot = null;
      // The coordinator hears of it a moment later, if the job is still there by then.
      time.within(
          100,
          30_000,
          () -> {
            if (alive) {
              job.completed(complete);
            }
          });
      router.wake();
    }
  }
}
