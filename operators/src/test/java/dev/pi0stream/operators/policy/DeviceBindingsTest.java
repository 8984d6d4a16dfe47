package dev.pi0stream.operators.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DeviceBindingsTest {
  private static final List<String> TWO = List.of("tt:0", "tt:1");

  private final DeviceBindings bindings = new DeviceBindings();
  private final Object job = new Object();

  @Test
  void subtasksShareTheDevicesEvenly() {
    assertThat(acquire(5, 3, 8, 1)).containsExactly("tt:0", "tt:1", "tt:0", "tt:1");
  }

  @Test
  void aSubtaskThatIsStartedAgainFindsItsDeviceInWhateverOrder() {
    assertThat(acquire(0, 1, 2)).containsExactly("tt:0", "tt:1", "tt:0");
    release(0, 1, 2);
    assertThat(acquire(2, 1, 0)).containsExactly("tt:0", "tt:1", "tt:0");
    release(0, 1, 2);
    assertThat(acquire(1, 0, 2)).containsExactly("tt:1", "tt:0", "tt:0");
  }

  @Test
  void aSubtaskThatComesFromElsewhereTakesTheDeviceThatNobodyHas() {
    acquire(0, 1);
    release(0, 1);
    assertThat(acquire(1)).containsExactly("tt:1");
    assertThat(acquire(7)).containsExactly("tt:0");
  }

  @Test
  void aDeviceThatIsGoneIsNotGivenAgain() {
    acquire(0, 1);
    release(0, 1);
    assertThat(bindings.acquire(job, 1, List.of("tt:0"))).isEqualTo("tt:0");
  }

  @Test
  void jobsDoNotCountEachOthersSubtasksAndLeaveNothing() {
    acquire(0);
    assertThat(bindings.acquire(new Object(), 0, TWO)).isEqualTo("tt:0");
    bindings.forget(job);
    assertThat(acquire(1)).containsExactly("tt:0");
  }

  private List<String> acquire(int... subtasks) {
    return IntStream.of(subtasks).mapToObj(s -> bindings.acquire(job, s, TWO)).toList();
  }

  private void release(int... subtasks) {
    IntStream.of(subtasks).forEach(s -> bindings.release(job, s));
  }
}
