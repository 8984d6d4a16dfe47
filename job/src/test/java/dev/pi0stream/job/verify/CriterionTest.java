package dev.pi0stream.job.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class CriterionTest {
  private static final double[] EXPECTED = {1, -2, 3, -4, 5};

  @Test
  void exactlyMeansEveryNumber() {
    assertThat(new Criterion.Exact().accepts(plus(0))).isTrue();
    assertThat(new Criterion.Exact().accepts(plus(1e-15))).isFalse();
  }

  @Test
  void absoluteBoundsHoldTheLargestAndTheRmsError() {
    assertThat(new Criterion.Absolute(0.1, 0.1).accepts(plus(0.09))).isTrue();
    assertThat(new Criterion.Absolute(0.1, 0.1).accepts(plus(0.11))).isFalse();
    assertThat(new Criterion.Absolute(0.1, 0.05).accepts(plus(0.09))).isFalse();
  }

  @Test
  void absoluteBoundsRefuseWhatIsNotANumber() {
    Difference difference = Difference.of(new double[] {1, -2, Double.NaN, -4, 5}, EXPECTED);

    assertThat(new Criterion.Absolute(1e9, Double.POSITIVE_INFINITY).accepts(difference)).isFalse();
    assertThat(new Criterion.Correlation(0.9).accepts(difference)).isFalse();
    assertThat(new Criterion.Relative(1e9).accepts(difference)).isFalse();
    assertThat(new Criterion.RootMeanSquare(1e9).accepts(difference)).isFalse();
  }

  @Test
  void relativeBoundsHoldForEveryNumber() {
    assertThat(new Criterion.Relative(0.01).accepts(plus(0.009))).isTrue();
    assertThat(new Criterion.Relative(0.01).accepts(plus(0.011))).isFalse();
  }

  @Test
  void correlationSeesFactorsAndOffsetsByTheRmsError() {
    Criterion criterion = new Criterion.Correlation(0.999);

    assertThat(criterion.accepts(times(1.01))).isTrue();
    assertThat(criterion.accepts(times(1.2))).isFalse();
    assertThat(criterion.accepts(times(-1))).isFalse();
    assertThat(criterion.accepts(plus(1))).isFalse();
  }

  @Test
  void withoutCorrelationTwoRoundingsAreAllowed() {
    Criterion criterion = new Criterion.Correlation(0.999);
    double[] constants = {2, 2};

    assertThat(criterion.accepts(Difference.of(new double[] {2, 2.015}, constants))).isTrue();
    assertThat(criterion.accepts(Difference.of(new double[] {2, 2.016}, constants))).isFalse();
    assertThat(criterion.accepts(Difference.of(new double[2], new double[2]))).isTrue();
    assertThat(criterion.accepts(Difference.of(new double[] {0, 1e-9}, new double[2]))).isFalse();
  }

  private static Difference plus(double amount) {
    return Difference.of(Arrays.stream(EXPECTED).map(x -> x + amount).toArray(), EXPECTED);
  }

  private static Difference times(double factor) {
    return Difference.of(Arrays.stream(EXPECTED).map(x -> x * factor).toArray(), EXPECTED);
  }
}
