package dev.pi0stream.job.evaluation;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Numbers of an action that belong together.
 *
 * @param dimensions which numbers
 * @param gripper whether they open and close something
 */
public record JointGroup(String name, List<Integer> dimensions, boolean gripper) {
  private static final Pattern GRIPPER =
      Pattern.compile("gripper|opening|finger|jaw|claw", Pattern.CASE_INSENSITIVE);
  private static final Pattern SIDE = Pattern.compile("(?i)(?:^|[^a-z])(left|right)(?:[^a-z]|$)");

  public JointGroup {
    dimensions = List.copyOf(dimensions);
  }

  /** Whether a number of this name opens and closes something. */
  static boolean isGripper(String name) {
    return GRIPPER.matcher(name).find();
  }

  /**
   * Groups numbers by their names: grippers apart from the rest, left apart from right. Without
   * names all are one group.
   *
   * @param names of all numbers, or none
   */
  public static List<JointGroup> of(List<String> names, int dimensions) {
    if (names.size() != dimensions) {
      List<Integer> all = new ArrayList<>();
      for (int d = 0; d < dimensions; d++) {
        all.add(d);
      }
      return List.of(new JointGroup("action", all, false));
    }
    Map<String, List<Integer>> groups = new LinkedHashMap<>();
    for (int d = 0; d < dimensions; d++) {
      groups.computeIfAbsent(group(names.get(d)), _ -> new ArrayList<>()).add(d);
    }
    List<JointGroup> all = new ArrayList<>();
    groups.forEach(
        (name, members) ->
            all.add(new JointGroup(name, members, isGripper(names.get(members.getFirst())))));
    return Collections.unmodifiableList(all);
  }

  private static String group(String name) {
    var side = SIDE.matcher(name);
    String kind = isGripper(name) ? "gripper" : "arm";
    return side.find() ? side.group(1).toLowerCase(Locale.ROOT) + " " + kind : kind;
  }
}
