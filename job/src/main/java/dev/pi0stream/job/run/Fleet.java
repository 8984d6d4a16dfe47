package dev.pi0stream.job.run;

import dev.pi0stream.operators.dataset.Episode;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A robot for each episode of a dataset, each on a thread of its own. */
final class Fleet {
  private static final long NANOS_PER_SECOND = 1_000_000_000L;

  private final List<EpisodePlayer> players;
  private final double stepsPerSecond;
  private final List<Thread> threads = new ArrayList<>();

  private Fleet(List<EpisodePlayer> players, double stepsPerSecond) {
    this.players = players;
    this.stepsPerSecond = stepsPerSecond;
  }

  /** The robots {@code robot-00}, {@code robot-01}, …, in the order of the episodes. */
  static Fleet of(
      LeRobotDataset dataset,
      CameraMapping cameras,
      double speed,
      String session,
      Pace pace,
      ObservationSink sink) {
    int digits = Integer.toString(dataset.episodes().size() - 1).length();
    String name = "robot-%%0%dd".formatted(Math.max(2, digits));
    double stepsPerSecond = dataset.fps() * speed;
    List<EpisodePlayer> players = new ArrayList<>();
    for (Episode episode : dataset.episodes()) {
      players.add(
          new EpisodePlayer(
              name.formatted(episode.index()),
              session,
              dataset,
              episode,
              cameras,
              stepsPerSecond,
              pace,
              sink));
    }
    return new Fleet(List.copyOf(players), stepsPerSecond);
  }

  int size() {
    return players.size();
  }

  /** Writes down what the robots did when they were logged. */
  void log(LoggedActions actions) {
    for (EpisodePlayer player : players) {
      actions.put(player.robot(), player.actions());
    }
  }

  /**
   * Starts all robots; their first steps are spread over the time between two steps, as robots do
   * not keep step with each other.
   *
   * @param failures is told when a robot cannot go on
   */
  void start(Instant start, Consumer<Exception> failures) {
    for (int i = 0; i < players.size(); i++) {
      EpisodePlayer player = players.get(i);
      Instant first =
          start.plusNanos(Math.round(NANOS_PER_SECOND / stepsPerSecond * i / players.size()));
      threads.add(
          Thread.ofPlatform()
              .name(player.robot())
              .daemon()
              .start(() -> play(player, first, failures)));
    }
  }

  /** Waits until every robot has stopped. */
  void join() throws InterruptedException {
    for (Thread thread : threads) {
      thread.join();
    }
  }

  /** How late the latest robot is. */
  Duration behind() {
    return players.stream()
        .map(EpisodePlayer::behind)
        .max(Duration::compareTo)
        .orElse(Duration.ZERO);
  }

  private static void play(EpisodePlayer player, Instant first, Consumer<Exception> failures) {
    try {
      player.play(first);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      failures.accept(e);
    }
  }
}
