package dev.pi0stream.job.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.pi0stream.operators.dataset.StepRange;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FrameWindowTest {
  @Test
  void timesAreTheFirstStepThatIsNotBefore() {
    assertThat(FrameWindow.mark("1.5s").frame(10)).isEqualTo(15);
    assertThat(FrameWindow.mark("1.51s").frame(10)).isEqualTo(16);
    assertThat(FrameWindow.mark("300ms").frame(30)).isEqualTo(9);
    assertThat(FrameWindow.mark("2m").frame(50)).isEqualTo(6000);
    assertThat(FrameWindow.mark("12").frame(10)).isEqualTo(12);
  }

  @Test
  void whatIsNeitherIsRefused() {
    for (String text : new String[] {"", "soon", "-3", "1.5", "3h", "99999999999"}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> FrameWindow.mark(text))
          .withMessageContaining("is no place in an episode");
    }
  }

  @Test
  void stepsAreCounted() {
    StepRange range =
        new FrameWindow(
                Optional.of(FrameWindow.mark("3")), Optional.of(FrameWindow.mark("1.1s")), 4)
            .steps(10);
    assertThat(range).isEqualTo(new StepRange(3, 11, 4));
    assertThat(range.count(20)).isEqualTo(2);
    assertThat(range.count(8)).isEqualTo(2);
    assertThat(range.count(7)).isEqualTo(1);
    assertThat(range.count(3)).isZero();
    assertThat(FrameWindow.ALL.steps(10).count(7)).isEqualTo(7);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new FrameWindow(
                        Optional.of(FrameWindow.mark("5")), Optional.of(FrameWindow.mark("4")), 1)
                    .steps(10))
        .withMessageContaining("--from is frame 5 and --to is frame 4");
  }
}
