package dev.pi0stream.tests.simulator;

import dev.pi0stream.model.engine.Alarm;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.SplittableRandom;

/**
 * A clock that stands still while something is done and jumps to the next thing that is due. What
 * is due at the same moment is done in the order in which it was set.
 */
final class VirtualTime implements InstantSource, Alarm {
  private final SplittableRandom random;
  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparing(Event::when).thenComparingLong(Event::order));
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private long order;

  VirtualTime(SplittableRandom random) {
    this.random = random;
  }

  /** Something that is due. */
  private static final class Event {
    private final Instant when;
    private final long order;
    private Runnable action;

    Event(Instant when, long order, Runnable action) {
      this.when = when;
      this.order = order;
      this.action = action;
    }

    Instant when() {
      return when;
    }

    long order() {
      return order;
    }
  }

  @Override
  public Instant instant() {
    return now;
  }

  @Override
  public Runnable set(Instant when, Runnable action) {
    Event event = new Event(when.isBefore(now) ? now : when, order++, action);
    events.add(event);
    return () -> event.action = () -> {};
  }

  /** Does something after a time. */
  void after(Duration delay, Runnable action) {
    var _ = set(now.plus(delay), action);
  }

  /** Does something after a time that is drawn evenly. */
  void within(long fromMicros, long toMicros, Runnable action) {
    after(Duration.ofNanos(1000 * random.nextLong(fromMicros, toMicros)), action);
  }

  /** Does what is due up to a moment; then it is that moment. */
  void runUntil(Instant end) {
    while (!events.isEmpty() && !events.peek().when.isAfter(end)) {
      Event event = events.remove();
      now = event.when;
      event.action.run();
    }
    now = end;
  }
}
