package dev.pi0stream.operators.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RobotKeysTest {
  private static final int KEY_GROUPS = 128;

  @ParameterizedTest
  @CsvSource({"8, 2", "16, 2", "32, 4", "12, 3", "7, 7", "50, 6", "200, 8", "128, 128"})
  void aRosterIsSpreadEvenlyOverTheSubtasksOfAnyParallelism(int robots, int subtasks) {
    List<String> roster = roster(robots);
    int[] shares = shares(roster, subtasks, new RobotKeys(roster, KEY_GROUPS)::of);
    int slack = Integer.bitCount(subtasks) == 1 ? 0 : 1;
    assertThat(Arrays.stream(shares).max().orElseThrow())
        .as(() -> Arrays.toString(shares))
        .isLessThanOrEqualTo(Math.ceilDiv(robots, subtasks) + slack);
    assertThat(Arrays.stream(shares).min().orElseThrow())
        .as(() -> Arrays.toString(shares))
        .isGreaterThanOrEqualTo(Math.floorDiv(robots, subtasks) - slack);
  }

  @Test
  void withoutARosterFlinksHashDecidesAndIsUneven() {
    assertThat(shares(roster(8), 2, new RobotKeys(List.of(), KEY_GROUPS)::of))
        .isEqualTo(shares(roster(8), 2, name -> name));
    assertThat(new RobotKeys(List.of("arm"), KEY_GROUPS).of("leg")).isEqualTo("leg");
  }

  @Test
  void keysAreTheRobotsOwnAndStayWhenOthersAreAdded() {
    RobotKeys small = new RobotKeys(roster(20), KEY_GROUPS);
    RobotKeys large = new RobotKeys(roster(300), KEY_GROUPS);
    assertThat(large.keys()).containsAllEntriesOf(small.keys());
    assertThat(large.keys().values()).doesNotHaveDuplicates().hasSize(300);
  }

  @Test
  void aRobotThatIsThereTwiceIsRefused() {
    assertThatThrownBy(() -> new RobotKeys(List.of("arm", "leg", "arm"), KEY_GROUPS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("robot 'arm' is in the roster twice");
  }

  private static List<String> roster(int robots) {
    return IntStream.range(0, robots).mapToObj(i -> "robot-" + i).toList();
  }

  private static int[] shares(List<String> roster, int subtasks, UnaryOperator<String> keys) {
    int[] shares = new int[subtasks];
    for (String robot : roster) {
      shares[
          KeyGroupRangeAssignment.assignKeyToParallelOperator(
              keys.apply(robot), KEY_GROUPS, subtasks)]++;
    }
    return shares;
  }
}
