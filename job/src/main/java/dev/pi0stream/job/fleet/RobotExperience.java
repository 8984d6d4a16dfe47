package dev.pi0stream.job.fleet;

import dev.pi0stream.job.run.Latencies;
import dev.pi0stream.schemas.OutcomeKind;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What one robot experiences. At every control tick it plays the step of its newest chunk that
 * belongs to the moment, counted from the chunk's observation; where there is none it starves. The
 * ticks of an episode begin with its first chunk: until then the robot stands still.
 *
 * <p>Times are nanoseconds from the start of the fleet; calls come in the order of their times.
 */
final class RobotExperience {
  private static final long NANOS_PER_MICRO = 1000;

  private final long periodNanos;
  private final long staleNanos;
  private final Latencies ages;
  private final Set<String> open = new HashSet<>();
  private final Map<OutcomeKind, Long> ended = new EnumMap<>(OutcomeKind.class);

  private boolean moving;
  private boolean finished;
  private long newest;
  private long observedAt;
  private long actionsUntil;
  private long nextTick;
  private long arrivedAt;

  private long observations;
  private long chunks;
  private long ticks;
  private long starved;
  private long stale;
  private long outdated;
  private long overdue;
  private long repeats;
  private long restarts;
  private long longestGap;

  /**
   * A robot that has done nothing yet.
   *
   * @param periodNanos from tick to tick
   * @param staleNanos an action is stale that was observed longer ago
   * @param ages takes the ages of chunks at their arrival
   */
  RobotExperience(long periodNanos, long staleNanos, Latencies ages) {
    this.periodNanos = periodNanos;
    this.staleNanos = staleNanos;
    this.ages = ages;
  }

  /** The robot has sent an observation. */
  void sent(String episode, long sequence) {
    observations++;
    open.add(id(episode, sequence));
  }

  /**
   * A chunk is there.
   *
   * @param current whether its episode is the one that the robot is in
   * @param observed when its frames were taken
   */
  void arrived(
      String episode, long sequence, boolean current, long observed, int horizon, long now) {
    if (!open.remove(id(episode, sequence))) {
      repeats++;
      return;
    }
    chunks++;
    ages.add((now - observed) / NANOS_PER_MICRO);
    if (finished) {
      return;
    }
    if (!current) {
      outdated++;
      return;
    }
    play(now);
    if (moving) {
      longestGap = Math.max(longestGap, now - arrivedAt);
      if (sequence < newest) {
        outdated++;
        return;
      }
    } else {
      moving = true;
      nextTick = now;
    }
    arrivedAt = now;
    newest = sequence;
    observedAt = observed;
    actionsUntil = observed + horizon * periodNanos;
    if (actionsUntil <= now) {
      overdue++;
    }
  }

  /** An observation has ended without a chunk. */
  void ended(String episode, long sequence, OutcomeKind kind) {
    if (open.remove(id(episode, sequence))) {
      ended.merge(kind, 1L, Long::sum);
    } else {
      repeats++;
    }
  }

  /** The robot is switched off; it begins anew with another episode. */
  void poweredOff(long now) {
    standStill(now);
    restarts++;
  }

  /** The robot stands still for good; answers are only counted from now on. */
  void finish(long now) {
    standStill(now);
    finished = true;
  }

  private void standStill(long now) {
    play(now);
    if (moving) {
      longestGap = Math.max(longestGap, now - arrivedAt);
    }
    moving = false;
    newest = 0;
  }

  /** All ticks before a moment. */
  private void play(long now) {
    if (!moving || nextTick >= now) {
      return;
    }
    long due = Math.ceilDiv(now - nextTick, periodNanos);
    long played = Math.clamp(Math.ceilDiv(actionsUntil - nextTick, periodNanos), 0, due);
    long fresh =
        Math.clamp(Math.floorDiv(observedAt + staleNanos - nextTick, periodNanos) + 1, 0, played);
    ticks += due;
    starved += due - played;
    stale += played - fresh;
    nextTick += due * periodNanos;
  }

  private static String id(String episode, long sequence) {
    return episode + '/' + sequence;
  }

  /** What it came to so far. */
  RobotFigures figures(String robot) {
    return new RobotFigures(
        robot,
        observations,
        chunks,
        ended.getOrDefault(OutcomeKind.SUPERSEDED, 0L),
        ended.getOrDefault(OutcomeKind.EXPIRED, 0L),
        ended.getOrDefault(OutcomeKind.REJECTED, 0L),
        open.size(),
        ticks,
        starved,
        stale,
        outdated,
        overdue,
        repeats,
        restarts,
        longestGap / 1e6);
  }

  /** Whether every observation has its outcome. */
  boolean isSettled() {
    return open.isEmpty();
  }
}
