package dev.pi0stream.job.fleet;

import dev.pi0stream.job.run.Latencies;
import dev.pi0stream.job.run.ObservationSink;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ObservationOutcome;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Plays all robots of a fleet on one thread: what they do and what reaches them are events in one
 * queue, each due at its time. Answers are put in by the thread that reads them.
 */
final class FleetRun {
  private static final int WORST = 10;

  private final FleetSettings settings;
  private final ObservationSink sink;
  private final Instant start;
  private final Latencies ages = new Latencies();
  private final Map<String, FleetRobot> robots = new LinkedHashMap<>();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::at).thenComparingLong(Event::order));
  private long order;
  private long end;
  private boolean observing = true;
  private long behind;

  /**
   * Robots that have not begun.
   *
   * @param start when they begin
   */
  FleetRun(FleetSettings settings, ObservationSink sink, Instant start) {
    this.settings = settings;
    this.sink = sink;
    this.start = start;
    end = settings.duration().toNanos();
    int digits = Math.max(3, Integer.toString(settings.robots() - 1).length());
    for (int i = 0; i < settings.robots(); i++) {
      String name = "fleet-" + "0".repeat(digits - Integer.toString(i).length()) + i;
      robots.put(name, new FleetRobot(name, i, settings, ages));
    }
  }

  /**
   * Plays to the end.
   *
   * @param patience for the last answers
   */
  FleetReport play(Duration patience) throws InterruptedException {
    robots.values().forEach(this::planNext);
    while (true) {
      Event event = take(end);
      if (event == null) {
        break;
      }
      behind = Math.max(behind, FleetRobot.nanosSince(start) - event.at());
      event.action().run();
    }
    long last = end;
    robots.values().forEach(robot -> robot.experience().finish(last));
    observing = false;
    long latest = FleetRobot.nanosSince(start) + patience.toNanos();
    while (!robots.values().stream().allMatch(robot -> robot.experience().isSettled())) {
      Event event = take(latest);
      if (event == null) {
        break;
      }
      event.action().run();
    }
    return report(last);
  }

  /** Ends early. */
  void stop() {
    lock.lock();
    try {
      end = Math.min(end, Math.max(0, FleetRobot.nanosSince(start)));
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** A chunk was read from its topic. */
  void answered(ActionChunk chunk) {
    FleetRobot robot = own(chunk.getRobot(), chunk.getEpisode());
    if (robot != null) {
      deliver(robot, at -> robot.reached(chunk, at));
    }
  }

  /** Another outcome was read from its topic. */
  void answered(ObservationOutcome outcome) {
    FleetRobot robot =
        outcome.getSequence() == null ? null : own(outcome.getRobot(), outcome.getEpisode());
    if (robot != null) {
      deliver(robot, _ -> robot.reached(outcome));
    }
  }

  /** How late the latest act was. */
  Duration behind() {
    return Duration.ofNanos(behind);
  }

  /** Null for robots of others. */
  private FleetRobot own(String robot, String episode) {
    return robot == null || episode == null || !episode.startsWith(settings.session() + "-")
        ? null
        : robots.get(robot);
  }

  private void deliver(FleetRobot robot, Arrival arrival) {
    lock.lock();
    try {
      long at = robot.reaches(FleetRobot.nanosSince(start));
      put(at, () -> arrival.at(at));
    } finally {
      lock.unlock();
    }
  }

  private void planNext(FleetRobot robot) {
    RobotAct act = robot.next();
    lock.lock();
    try {
      put(act.at(), () -> act(robot, act));
    } finally {
      lock.unlock();
    }
  }

  private void act(FleetRobot robot, RobotAct act) {
    if (observing) {
      robot.act(act, start, sink);
      planNext(robot);
    }
  }

  /** With the lock. */
  private void put(long at, Runnable action) {
    events.add(new Event(at, order++, action));
    changed.signalAll();
  }

  /** The next event, when it is due; null when none is before the limit. */
  private Event take(long limit) throws InterruptedException {
    lock.lock();
    try {
      while (true) {
        long now = FleetRobot.nanosSince(start);
        long until = observing ? Math.min(limit, end) : limit;
        Event next = events.peek();
        if (next != null && next.at() <= now && next.at() < until) {
          return events.poll();
        }
        if (now >= until) {
          return null;
        }
        long wake = next == null ? until : Math.min(next.at(), until);
        changed.await(Math.max(1, wake - now), TimeUnit.NANOSECONDS);
      }
    } finally {
      lock.unlock();
    }
  }

  private FleetReport report(long last) {
    List<RobotFigures> figures =
        robots.values().stream().map(robot -> robot.experience().figures(robot.name())).toList();
    RobotFigures together = figures.stream().reduce(RobotFigures.none("all"), RobotFigures::plus);
    return new FleetReport(
        robots.size(),
        last / 1e9,
        ages.since(0),
        together.ticks() == 0 ? null : (double) together.starvedTicks() / together.ticks(),
        together,
        figures.stream()
            .filter(robot -> robot.starvedTicks() > 0)
            .sorted(Comparator.comparingLong(RobotFigures::starvedTicks).reversed())
            .limit(WORST)
            .toList());
  }

  private record Event(long at, long order, Runnable action) {}

  private interface Arrival {
    void at(long now);
  }
}
