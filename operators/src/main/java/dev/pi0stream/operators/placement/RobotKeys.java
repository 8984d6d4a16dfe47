package dev.pi0stream.operators.placement;

import dev.pi0stream.operators.observation.DecodedObservation;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;

/**
 * The keys of robots. Flink spreads keys by hash, which is even for thousands and not for dozens:
 * eight robots on two subtasks may fall one and seven. Robots of a roster get keys whose key groups
 * lie evenly in the whole range, and so in the part of each subtask, whatever the parallelism: to
 * the robot where it is a power of two, to one more or less elsewhere. All others have their names.
 *
 * <p>A robot's key depends on its place in the roster and on the number of key groups alone. So
 * state survives a change of the parallelism, and further robots may be added at the roster's end.
 */
public final class RobotKeys implements KeySelector<DecodedObservation, String> {
  private static final long serialVersionUID = 1L;

  private final HashMap<String, String> keys = new HashMap<>();

  /**
   * The keys of a fleet.
   *
   * @param roster names of robots; may be empty
   * @param keyGroups the job's number of key groups, a power of two
   * @throws IllegalArgumentException when a robot is there twice
   */
  public RobotKeys(Collection<String> roster, int keyGroups) {
    if (Integer.bitCount(keyGroups) != 1) {
      throw new IllegalArgumentException(
          "key groups are %d: expected a power of two".formatted(keyGroups));
    }
    int place = 0;
    for (String robot : roster) {
      int keyGroup = spread(place % keyGroups, keyGroups);
      if (keys.put(robot, key(robot, keyGroup, keyGroups)) != null) {
        throw new IllegalArgumentException("robot '%s' is in the roster twice".formatted(robot));
      }
      place++;
    }
  }

  @Override
  public String getKey(DecodedObservation observation) {
    return of(observation.robot());
  }

  /** The key of a robot. */
  public String of(String robot) {
    return keys.getOrDefault(robot, robot);
  }

  /** The keys of the roster. */
  Map<String, String> keys() {
    return Map.copyOf(keys);
  }

  /** Van der Corput's sequence: every prefix of it lies evenly in the range. */
  private static int spread(int place, int keyGroups) {
    return keyGroups == 1
        ? 0
        : Integer.reverse(place) >>> (Integer.SIZE - Integer.numberOfTrailingZeros(keyGroups));
  }

  /** The name with the first number behind it that leads to the key group. */
  private static String key(String robot, int keyGroup, int keyGroups) {
    for (int salt = 0; ; salt++) {
      String key = robot + '\u0000' + salt;
      if (KeyGroupRangeAssignment.assignToKeyGroup(key, keyGroups) == keyGroup) {
        return key;
      }
    }
  }
}
