package dev.pi0stream.job.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How the robots of a log move: the yardstick for what is far, what is fast and what is outside.
 */
public final class LoggedMotion {
  private static final double FAST = 0.95;
  private static final double MOVING = 0.05;
  private static final double SLOW = 0.5;

  private final double[] min;
  private final double[] max;
  private final double[] deviation;
  private final double[] fast;
  private final double slow;

  private LoggedMotion(double[] min, double[] max, double[] deviation, double[] fast, double slow) {
    this.min = min;
    this.max = max;
    this.deviation = deviation;
    this.fast = fast;
    this.slow = slow;
  }

  /** Numbers of an action. */
  public int dimensions() {
    return min.length;
  }

  /** The smallest logged value of a number of the actions. */
  public double min(int d) {
    return min[d];
  }

  /** The largest logged value of a number of the actions. */
  public double max(int d) {
    return max[d];
  }

  /** The standard deviation of a number of the actions; 0 where it never changes. */
  public double deviation(int d) {
    return deviation[d];
  }

  /** The change of a number of the state from step to step that only 5 % exceed; 0 for grippers. */
  double fast(int d) {
    return fast[d];
  }

  /** Below this normalised speed a robot is slow: half of the median while it moves. */
  double slow() {
    return slow;
  }

  /**
   * The speed between a step and the next: the root of the mean square of the state's changes, each
   * in proportion to what is fast for it.
   */
  double speed(LoggedEpisode episode, int t) {
    return speed(changes(episode, t, fast.length), fast);
  }

  private static double speed(float[] changes, double[] fast) {
    double squares = 0;
    int moving = 0;
    for (int d = 0; d < fast.length; d++) {
      if (fast[d] > 0) {
        double change = changes[d] / fast[d];
        squares += change * change;
        moving++;
      }
    }
    return moving == 0 ? 0 : Math.sqrt(squares / moving);
  }

  private static float[] changes(LoggedEpisode episode, int t, int dimensions) {
    float[] changes = new float[dimensions];
    for (int d = 0; d < dimensions; d++) {
      changes[d] = (float) change(episode, t, d);
    }
    return changes;
  }

  /** How much a number of the state changes from a step to the next. */
  static double change(LoggedEpisode episode, int t, int d) {
    return (double) episode.states().get(t + 1)[d] - episode.states().get(t)[d];
  }

  /** Takes a log, episode after episode. */
  public static final class Builder {
    private final List<String> stateNames;
    private final double[] min;
    private final double[] max;
    private final double[] mean;
    private final double[] squares;
    private final List<Percentiles> changes = new ArrayList<>();
    private final List<float[]> perStep = new ArrayList<>();
    private long count;

    /**
     * @param stateNames of the state's numbers, or none
     */
    public Builder(List<String> stateNames, int stateDimensions, int actionDimensions) {
      this.stateNames = stateNames;
      min = new double[actionDimensions];
      max = new double[actionDimensions];
      Arrays.fill(min, Double.POSITIVE_INFINITY);
      Arrays.fill(max, Double.NEGATIVE_INFINITY);
      mean = new double[actionDimensions];
      squares = new double[actionDimensions];
      for (int d = 0; d < stateDimensions; d++) {
        changes.add(new Percentiles());
      }
    }

    /** Takes an episode. */
    public void add(LoggedEpisode episode) {
      for (float[] action : episode.actions()) {
        count++;
        for (int d = 0; d < min.length; d++) {
          min[d] = Math.min(min[d], action[d]);
          max[d] = Math.max(max[d], action[d]);
          // Welford's recurrence.
          double before = action[d] - mean[d];
          mean[d] += before / count;
          squares[d] += before * (action[d] - mean[d]);
        }
      }
      for (int t = 0; t + 1 < episode.length(); t++) {
        float[] step = changes(episode, t, changes.size());
        for (int d = 0; d < step.length; d++) {
          changes.get(d).add(Math.abs(step[d]));
        }
        perStep.add(step);
      }
    }

    /** What was taken. */
    public LoggedMotion build() {
      double[] deviation = new double[min.length];
      for (int d = 0; d < min.length; d++) {
        deviation[d] = count == 0 ? 0 : Math.sqrt(squares[d] / count);
      }
      double[] fast = new double[changes.size()];
      for (int d = 0; d < fast.length; d++) {
        boolean gripper =
            stateNames.size() == fast.length && JointGroup.isGripper(stateNames.get(d));
        Double change = changes.get(d).at(FAST);
        fast[d] = gripper || change == null ? 0 : change;
      }
      Percentiles speeds = new Percentiles();
      for (float[] step : perStep) {
        double speed = speed(step, fast);
        if (speed > MOVING) {
          speeds.add(speed);
        }
      }
      Double median = speeds.at(0.5);
      return new LoggedMotion(min, max, deviation, fast, median == null ? 0 : SLOW * median);
    }
  }
}
