package dev.pi0stream.model.processor;

import java.util.List;
import java.util.Locale;

/**
 * Which columns of an action the network gives relative to the robot's state. The state is the raw
 * one of the same observation, added after unnormalisation.
 *
 * @param mask by column; columns beyond it are absolute
 */
public record RelativeActions(boolean[] mask) {
  /** All columns are absolute. */
  public static final RelativeActions NONE = new RelativeActions(new boolean[0]);

  /**
   * LeRobot's choice ({@code relative_action_processor.py}): every column but those in whose name
   * an excluded one occurs, in lower case. Without names <em>every</em> column is relative, the
   * gripper too: such a checkpoint was trained so.
   *
   * @param names of the action's columns; empty where they are not known
   */
  public static RelativeActions excluding(List<String> excluded, List<String> names, int columns) {
    boolean[] mask = new boolean[columns];
    for (int column = 0; column < columns; column++) {
      mask[column] = column >= names.size() || !isExcluded(names.get(column), excluded);
    }
    return new RelativeActions(mask);
  }

  private static boolean isExcluded(String name, List<String> excluded) {
    String lower = name.toLowerCase(Locale.ROOT);
    return excluded.stream()
        .map(part -> part.toLowerCase(Locale.ROOT))
        .anyMatch(part -> !part.isEmpty() && lower.contains(part));
  }

  /** One more than the last relative column: how many numbers of the state are needed. */
  public int stateDimensions() {
    int dimensions = mask.length;
    while (dimensions > 0 && !mask[dimensions - 1]) {
      dimensions--;
    }
    return dimensions;
  }

  /**
   * Adds the state, in float64; {@code AbsoluteActions} of openpi's {@code transforms.py}.
   *
   * @param actions rows × columns; changed in place
   */
  public void addState(double[] actions, int columns, double[] state) {
    for (int i = 0; i < actions.length; i++) {
      int column = i % columns;
      if (column < mask.length && mask[column]) {
        actions[i] += state[column];
      }
    }
  }

  /**
   * Adds the state, in float32; {@code to_absolute_actions} of LeRobot.
   *
   * @param actions rows × columns; changed in place
   */
  public void addState(float[] actions, int columns, float[] state) {
    for (int i = 0; i < actions.length; i++) {
      int column = i % columns;
      if (column < mask.length && mask[column]) {
        actions[i] += state[column];
      }
    }
  }

  /**
   * Takes the state off again, in float64: {@link #addState(double[], int, double[])} undone.
   *
   * @param actions rows × columns; changed in place
   */
  public void subtractState(double[] actions, int columns, double[] state) {
    for (int i = 0; i < actions.length; i++) {
      int column = i % columns;
      if (column < mask.length && mask[column]) {
        actions[i] -= state[column];
      }
    }
  }
}
