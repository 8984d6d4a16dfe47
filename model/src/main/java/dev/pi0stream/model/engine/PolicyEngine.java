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
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * Batches the requests of many robots on one device.
 *
 * <ul>
 *   <li><b>Freshest per robot.</b> A robot has at most one running and one waiting request; a newer
 *       one takes the place of the waiting one, which ends as {@link Superseded} at once.
 *   <li><b>Never waits to fill.</b> A batch starts as soon as the device is idle and a request is
 *       prepared; what arrives meanwhile forms the next one.
 *   <li><b>Who would starve first.</b> A batch takes the earliest deadlines, then the oldest
 *       requests. A request whose deadline has passed when it would begin ends as {@link Expired}.
 *   <li><b>A fault is loud.</b> When the device fails, every request fails with it, and every later
 *       one too: the engine has to be opened anew.
 * </ul>
 *
 * <p>The engine has no thread, no clock and no noise of its own: they come from outside, so that a
 * simulator can run it on a virtual clock. Observations are prepared on {@code preparation},
 * batches run on {@code device}, which must run one task at a time. Outcomes complete on either, or
 * on the caller of {@link #submit}.
 */
public final class PolicyEngine implements AutoCloseable {
  private static final Comparator<Ticket> STARVES_FIRST =
      Comparator.comparing(
              Ticket::deadline, Comparator.nullsLast(Comparator.<Instant>naturalOrder()))
          .thenComparing(Ticket::arrived);

  private final ServedPolicy policy;
  private final Noise noise;
  private final InstantSource clock;
  private final Executor device;
  private final Executor preparation;
  private final int maxBatch;

  private final Object lock = new Object();

  /** The waiting request of each robot, in order of arrival; guarded by {@link #lock}. */
  private final Map<String, Ticket> waiting = new LinkedHashMap<>();

  /** Whether a batch is on the device; guarded by {@link #lock}. */
  private boolean busy;

  /** Why no request is taken any more; guarded by {@link #lock}. */
  private RuntimeException ended;

  /**
   * An idle engine.
   *
   * @param clock gives arrivals, deadlines and durations
   * @param device runs batches, one at a time
   * @param preparation runs {@link ServedPolicy#prepare}
   * @param maxBatch the most rows of a batch, at least 1
   */
  public PolicyEngine(
      ServedPolicy policy,
      Noise noise,
      InstantSource clock,
      Executor device,
      Executor preparation,
      int maxBatch) {
    if (maxBatch < 1) {
      throw new IllegalArgumentException("largest batch " + maxBatch + ": expected 1 or more");
    }
    this.policy = policy;
    this.noise = noise;
    this.clock = clock;
    this.device = device;
    this.preparation = preparation;
    this.maxBatch = maxBatch;
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
    Ticket ticket = new Ticket(request, clock.instant());
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
      }
    }
    if (loser != null) {
      loser.outcome.complete(new Superseded(winner.request.id()));
    }
    if (winner == ticket) {
      try {
        preparation.execute(() -> prepare(ticket));
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
              request.guidance());
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
    List<Ticket> batch = new ArrayList<>();
    synchronized (lock) {
      if (busy || ended != null) {
        return;
      }
      Instant now = clock.instant();
      for (Iterator<Ticket> tickets = waiting.values().iterator(); tickets.hasNext(); ) {
        Ticket ticket = tickets.next();
        if (ticket.outcome.isDone()) {
          tickets.remove();
        } else if (ticket.deadline() != null && now.isAfter(ticket.deadline())) {
          tickets.remove();
          expired.add(ticket);
        } else if (ticket.sample != null) {
          batch.add(ticket);
        }
      }
      batch.sort(STARVES_FIRST);
      if (batch.size() > maxBatch) {
        batch = new ArrayList<>(batch.subList(0, maxBatch));
      }
      batch.forEach(ticket -> waiting.remove(ticket.request.id().robot()));
      busy = !batch.isEmpty();
    }
    expired.forEach(ticket -> ticket.outcome.complete(new Expired()));
    if (!batch.isEmpty()) {
      List<Ticket> begun = List.copyOf(batch);
      try {
        device.execute(() -> run(begun));
      } catch (RejectedExecutionException e) {
        RuntimeException reason = new IllegalStateException("the engine's threads have ended", e);
        end(reason);
        begun.forEach(ticket -> ticket.outcome.completeExceptionally(reason));
      }
    }
  }

  private void run(List<Ticket> batch) {
    Instant begun = clock.instant();
    ServedPolicy.Inference inference;
    try {
      inference = policy.infer(batch.stream().map(ticket -> ticket.sample).toList());
    } catch (RuntimeException | Error e) {
      RuntimeException fault =
          e instanceof DeviceException known
              ? known
              : new DeviceException("a batch of " + batch.size() + " failed: " + e, e);
      // First ended, then told: who hears of the fault must not find an engine that seems to live.
      end(fault);
      batch.forEach(ticket -> ticket.outcome.completeExceptionally(fault));
      return;
    }
    synchronized (lock) {
      busy = false;
    }
    for (int row = 0; row < batch.size(); row++) {
      Ticket ticket = batch.get(row);
      Timing timing =
          new Timing(
              batch.size(),
              Duration.between(ticket.arrived, begun),
              inference.vision(),
              inference.prefix(),
              inference.denoise());
      try {
        ticket.outcome.complete(answer(ticket.request, inference.x().get(row), timing));
      } catch (RuntimeException e) {
        ticket.outcome.completeExceptionally(e);
      }
    }
    dispatch();
  }

  private PolicyOutcome answer(PolicyRequest request, float[] x, Timing timing) {
    float[] actions = policy.actions(x, request.observation());
    int dimensions = policy.actionDimensions();
    for (int i = 0; i < actions.length; i++) {
      if (!Float.isFinite(actions[i])) {
        return new Rejected(
            "action %d of the chunk is %s in dimension %d: expected a finite number"
                .formatted(i / dimensions, actions[i], i % dimensions));
      }
    }
    return new Chunk(policy.horizon(), dimensions, actions, timing);
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
    }
    left.forEach(ticket -> ticket.outcome.completeExceptionally(reason));
  }

  /** Whether the device failed or the engine was closed, so that it takes no request. */
  public boolean hasEnded() {
    synchronized (lock) {
      return ended != null;
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

    /** Null until it is prepared; guarded by the engine's lock. */
    private Sample sample;

    Ticket(PolicyRequest request, Instant arrived) {
      this.request = request;
      this.arrived = arrived;
    }

    Instant arrived() {
      return arrived;
    }

    Instant deadline() {
      return request.deadline();
    }

    /** Episodes have no order among themselves: there, what arrived later is newer. */
    boolean isNewerThan(Ticket other) {
      return request.id().episode().equals(other.request.id().episode())
          && request.id().sequence() > other.request.id().sequence();
    }
  }
}
