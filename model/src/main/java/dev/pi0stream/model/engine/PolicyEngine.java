package dev.pi0stream.model.engine;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.model.engine.PolicyOutcome.Chunk;
import dev.pi0stream.model.engine.PolicyOutcome.Expired;
import dev.pi0stream.model.engine.PolicyOutcome.Rejected;
import dev.pi0stream.model.engine.PolicyOutcome.Superseded;
import dev.pi0stream.model.engine.PolicyOutcome.Timing;
import dev.pi0stream.model.policy.Sample;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;

/**
 * Batches the requests of many robots on one device.
 *
 * <ul>
 *   <li><b>Freshest per robot.</b> A robot has at most one running and one waiting request; a newer
 *       one takes the place of the waiting one, which ends as {@link Superseded} at once.
 *   <li><b>Chosen by a rule.</b> When the device is idle and a request is prepared, the {@link
 *       DispatchRule} says who forms the next batch; what arrives meanwhile waits. The usual rule
 *       never waits to fill a batch. A request whose deadline has passed when it would begin ends
 *       as {@link Expired}.
 *   <li><b>Fair.</b> A request that takes another's place takes its time in the queue, too: a robot
 *       that sends often neither overtakes one that sends seldom nor waits for ever.
 *   <li><b>A fault is loud.</b> When the device fails, or does not come back from a batch, every
 *       request fails with it, and every later one too: the engine has to be opened anew.
 * </ul>
 *
 * <p>The engine has no thread, no clock and no noise of its own: they come from outside, so that a
 * simulator can run it on a virtual clock. Outcomes complete on the threads of its {@link
 * Surroundings}, or on the caller of {@link #submit}.
 */
public final class PolicyEngine implements AutoCloseable {
  /** A batch that takes so many times of what it was expected to may hang. */
  private static final int HANGS_FACTOR = 10;

  /** The first batch of a device of which nothing is known may take so many times the limit. */
  private static final int FIRST_BATCH_FACTOR = 20;

  /** Of so many robots it is remembered when their chunks are used up, before old ones go. */
  private static final int REMEMBERED = 10_000;

  private final ServedPolicy policy;
  private final Noise noise;
  private final Surroundings surroundings;
  private final EngineSettings settings;

  private final Object lock = new Object();

  /** The waiting request of each robot, in order of arrival; guarded by {@link #lock}. */
  private final Map<String, Ticket> waiting = new LinkedHashMap<>();

  /** When each robot's last chunk is used up, where it says so; guarded by {@link #lock}. */
  private final Map<String, Instant> freshUntil = new HashMap<>();

  /** How long batches take; guarded by {@link #lock}. */
  private final LatencyCurve curve;

  /** The batch on the device; null while it is idle; guarded by {@link #lock}. */
  private Batch running;

  /** Takes back the alarm of a rule that waits; guarded by {@link #lock}. */
  private Runnable again = () -> {};

  /** Whether a batch did not come back; guarded by {@link #lock}. */
  private boolean hanging;

  /** Why no request is taken any more; guarded by {@link #lock}. */
  private RuntimeException ended;

  /**
   * An idle engine.
   *
   * @param curve what is known of how long batches take; belongs to the engine from now on
   */
  public PolicyEngine(
      ServedPolicy policy,
      Noise noise,
      Surroundings surroundings,
      EngineSettings settings,
      LatencyCurve curve) {
    this.policy = Objects.requireNonNull(policy, "policy");
    this.noise = Objects.requireNonNull(noise, "noise");
    this.surroundings = Objects.requireNonNull(surroundings, "surroundings");
    this.settings = Objects.requireNonNull(settings, "settings");
    this.curve = Objects.requireNonNull(curve, "curve");
  }

  /** The policy that it serves. */
  public ServedPolicy policy() {
    return policy;
  }

  /**
   * Takes a request. Never waits for the device.
   *
   * @return how the request ends; exceptionally with a {@link DeviceException} when the device
   *     failed, or an {@link IllegalStateException} when the engine was closed. Cancelling it
   *     withdraws a request that was not begun.
   */
  public CompletableFuture<PolicyOutcome> submit(PolicyRequest request) {
    Ticket ticket = new Ticket(request, surroundings.clock().instant());
    Ticket winner;
    Ticket loser;
    synchronized (lock) {
      if (ended != null) {
        return CompletableFuture.failedFuture(ended);
      }
      Ticket rival = waiting.get(request.id().robot());
      boolean late = rival != null && rival.isNewerThan(ticket);
      winner = late ? rival : ticket;
      loser = late ? ticket : rival;
      if (!late) {
        waiting.remove(request.id().robot());
        waiting.put(request.id().robot(), ticket);
        if (rival != null && !rival.outcome.isDone()) {
          ticket.since = rival.since;
        }
      }
    }
    if (loser != null) {
      loser.outcome.complete(new Superseded(winner.request.id()));
    }
    if (winner == ticket) {
      try {
        surroundings.preparation().execute(() -> prepare(ticket));
      } catch (RejectedExecutionException e) {
        end(new IllegalStateException("the engine's threads have ended", e));
      }
    }
    return ticket.outcome;
  }

  private void prepare(Ticket ticket) {
    if (ticket.outcome.isDone()) {
      return;
    }
    try {
      PolicyRequest request = ticket.request;
      Sample sample =
          new Sample(
              policy.prepare(request.observation()),
              noise.draw(request.id(), policy.noiseSize()),
              request.execution() == null
                  ? null
                  : policy.guidance(request.execution(), request.observation()));
      synchronized (lock) {
        ticket.sample = sample;
      }
    } catch (IllegalArgumentException e) {
      withdraw(ticket);
      ticket.outcome.complete(new Rejected(e.getMessage()));
    } catch (RuntimeException e) {
      // Not foreseen, but one observation's matter: it must not take the other robots with it.
      withdraw(ticket);
      ticket.outcome.complete(new Rejected("the observation cannot be prepared: " + e));
    } catch (Error e) {
      withdraw(ticket);
      ticket.outcome.completeExceptionally(e);
      throw e;
    }
    dispatch();
  }

  private void withdraw(Ticket ticket) {
    synchronized (lock) {
      waiting.remove(ticket.request.id().robot(), ticket);
    }
  }

  private void dispatch() {
    List<Ticket> expired = new ArrayList<>();
    Batch batch = null;
    RuntimeException fault = null;
    synchronized (lock) {
      if (running != null || ended != null) {
        return;
      }
      again.run();
      again = () -> {};
      Instant now = surroundings.clock().instant();
      List<DispatchRule.Candidate> candidates = new ArrayList<>();
      for (Iterator<Ticket> tickets = waiting.values().iterator(); tickets.hasNext(); ) {
        Ticket ticket = tickets.next();
        if (ticket.outcome.isDone()) {
          tickets.remove();
        } else if (ticket.hasExpired(now)) {
          tickets.remove();
          expired.add(ticket);
        } else if (ticket.sample != null) {
          candidates.add(
              new DispatchRule.Candidate(
                  ticket.robot(),
                  ticket.since,
                  ticket.request.deadline(),
                  freshUntil.get(ticket.robot()),
                  policy.work(ticket.sample.input())));
        }
      }
      if (!candidates.isEmpty()) {
        try {
          DispatchRule.Choice choice =
              settings.rule().choose(candidates, now, curve, settings.maxBatch());
          if (choice.batch().isEmpty()) {
            again = surroundings.alarm().set(choice.again(), this::dispatch);
          } else {
            batch = begin(choice.batch(), now);
          }
        } catch (RuntimeException e) {
          // Whose thread this is, it would end in silence, and nobody would be served any more.
          fault = new IllegalStateException("the dispatch rule failed: " + e, e);
        }
      }
    }
    expired.forEach(ticket -> ticket.outcome.complete(new Expired()));
    if (fault != null) {
      end(fault);
    }
    if (batch != null) {
      Batch begun = batch;
      try {
        surroundings.device().execute(() -> run(begun));
      } catch (RejectedExecutionException e) {
        RuntimeException reason = new IllegalStateException("the engine's threads have ended", e);
        end(reason);
        begun.fail(reason);
      }
    }
  }

  /** Takes the chosen from the queue and sets the alarm for the case that they do not come back. */
  private Batch begin(List<DispatchRule.Candidate> chosen, Instant now) {
    List<Ticket> tickets =
        chosen.stream().map(candidate -> waiting.remove(candidate.robot())).toList();
    Duration limit =
        limit(curve.estimate(chosen.stream().map(DispatchRule.Candidate::work).toList()));
    Batch batch = new Batch(tickets, now, limit);
    running = batch;
    batch.alarm = surroundings.alarm().set(now.plus(limit), () -> giveUp(batch));
    return batch;
  }

  /** After how long a batch hangs. */
  private Duration limit(Duration expected) {
    if (curve.isEmpty()) {
      return settings.hangs().multipliedBy(FIRST_BATCH_FACTOR);
    }
    Duration limit = expected.multipliedBy(HANGS_FACTOR);
    return limit.compareTo(settings.hangs()) < 0 ? settings.hangs() : limit;
  }

  private void giveUp(Batch batch) {
    synchronized (lock) {
      if (running != batch) {
        return;
      }
      hanging = true;
    }
    report(batch, true);
    RuntimeException reason =
        new DeviceException(
            "the device hangs: a batch of %d has not ended within %.1f s"
                .formatted(batch.tickets.size(), batch.limit.toMillis() / 1000.0));
    end(reason);
    batch.fail(reason);
  }

  private void run(Batch batch) {
    ServedPolicy.Inference inference;
    try {
      inference = policy.infer(batch.tickets.stream().map(ticket -> ticket.sample).toList());
    } catch (RuntimeException | Error e) {
      RuntimeException fault =
          e instanceof DeviceException known
              ? known
              : new DeviceException("a batch of " + batch.tickets.size() + " failed: " + e, e);
      report(batch, true);
      // First ended, then told: who hears of the fault must not find an engine that seems to live.
      end(fault);
      batch.fail(fault);
      return;
    }
    synchronized (lock) {
      batch.alarm.run();
      running = null;
      curve.learn(inference);
      batch.tickets.forEach(this::remember);
    }
    report(batch, false);
    for (int row = 0; row < batch.tickets.size(); row++) {
      Ticket ticket = batch.tickets.get(row);
      Timing timing =
          new Timing(
              batch.tickets.size(),
              Duration.between(ticket.arrived, batch.begun),
              inference.vision(),
              inference.prefix(),
              inference.denoise());
      try {
        ticket.outcome.complete(
            answer(ticket.request, inference.x().get(row), timing, inference.reuse().get(row)));
      } catch (RuntimeException e) {
        ticket.outcome.completeExceptionally(e);
      }
    }
    dispatch();
  }

  /** Notes when what a robot is given now will be used up. */
  private void remember(Ticket served) {
    Instant deadline = served.request.deadline();
    if (deadline == null) {
      freshUntil.remove(served.robot());
    } else {
      freshUntil.put(served.robot(), deadline);
    }
    if (freshUntil.size() > REMEMBERED) {
      Instant now = surroundings.clock().instant();
      freshUntil.values().removeIf(until -> until.isBefore(now));
    }
  }

  private void report(Batch batch, boolean failed) {
    Instant oldest =
        batch.tickets.stream().map(ticket -> ticket.arrived).min(Instant::compareTo).orElseThrow();
    surroundings
        .batches()
        .ended(
            new BatchListener.BatchReport(
                batch.tickets.size(),
                Duration.between(oldest, batch.begun),
                Duration.between(batch.begun, surroundings.clock().instant()),
                failed));
  }

  private PolicyOutcome answer(PolicyRequest request, float[] x, Timing timing, Reuse reuse) {
    float[] actions = policy.actions(x, request.observation());
    int dimensions = policy.actionDimensions();
    for (int i = 0; i < actions.length; i++) {
      if (!Float.isFinite(actions[i])) {
        return new Rejected(
            "action %d of the chunk is %s in dimension %d: expected a finite number"
                .formatted(i / dimensions, actions[i], i % dimensions));
      }
    }
    int executeFrom = request.execution() == null ? 0 : request.execution().delay();
    return new Chunk(policy.horizon(), dimensions, actions, executeFrom, timing, reuse);
  }

  /** Takes no request any more and fails those that wait. */
  private void end(RuntimeException reason) {
    List<Ticket> left;
    synchronized (lock) {
      if (ended == null) {
        ended = reason;
      }
      left = List.copyOf(waiting.values());
      waiting.clear();
      again.run();
    }
    left.forEach(ticket -> ticket.outcome.completeExceptionally(reason));
  }

  /** How many robots have a request that waits for the device. */
  public int waiting() {
    synchronized (lock) {
      return waiting.size();
    }
  }

  /** How many requests are on the device at this moment. */
  public int running() {
    synchronized (lock) {
      return running == null ? 0 : running.tickets.size();
    }
  }

  /** Whether the device failed or the engine was closed, so that it takes no request. */
  public boolean hasEnded() {
    synchronized (lock) {
      return ended != null;
    }
  }

  /** Whether the engine has ended because a batch did not come back from the device. */
  public boolean isHanging() {
    synchronized (lock) {
      return hanging;
    }
  }

  /** Takes no request any more; those that wait fail, a running batch comes to its end. */
  @Override
  public void close() {
    end(new IllegalStateException("the engine was closed"));
  }

  /** A request on its way through the engine. */
  private static final class Ticket {
    private final PolicyRequest request;
    private final Instant arrived;
    private final CompletableFuture<PolicyOutcome> outcome = new CompletableFuture<>();

    /** When its robot began to wait; guarded by the engine's lock. */
    private Instant since;

    /** Null until it is prepared; guarded by the engine's lock. */
    private Sample sample;

    Ticket(PolicyRequest request, Instant arrived) {
      this.request = request;
      this.arrived = arrived;
      this.since = arrived;
    }

    boolean hasExpired(Instant now) {
      return request.deadline() != null && now.isAfter(request.deadline());
    }

    String robot() {
      return request.id().robot();
    }

    /** Episodes have no order among themselves: there, what arrived later is newer. */
    boolean isNewerThan(Ticket other) {
      return request.id().episode().equals(other.request.id().episode())
          && request.id().sequence() > other.request.id().sequence();
    }
  }

  /** Requests that are on the device together. */
  private static final class Batch {
    private final List<Ticket> tickets;
    private final Instant begun;
    private final Duration limit;

    /** Takes back the alarm for the case that the device hangs; guarded by the engine's lock. */
    private Runnable alarm = () -> {};

    Batch(List<Ticket> tickets, Instant begun, Duration limit) {
      this.tickets = tickets;
      this.begun = begun;
      this.limit = limit;
    }

    void fail(RuntimeException reason) {
      tickets.forEach(ticket -> ticket.outcome.completeExceptionally(reason));
    }
  }
}
