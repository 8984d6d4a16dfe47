package dev.pi0stream.job.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class DifferenceTest {
  @Test
  void correlatesAsPearsonDid() {
    Difference difference = Difference.of(new double[] {1, 2, 3, 5}, new double[] {2, 1, 4, 6});

    // Sums of products and squares around the means.
    assertThat(difference.pcc()).isCloseTo(10.25 / Math.sqrt(8.75 * 14.75), within(1e-12));
    assertThat(difference.maxAbsError()).isEqualTo(1);
    assertThat(difference.rmsError()).isEqualTo(1);
    assertThat(difference.maxRelativeError()).isEqualTo(1);
    assertThat(difference.maxExpected()).isEqualTo(6);
  }

  @Test
  void hasNoCorrelationOfConstantsAndOfASingleNumber() {
    assertThat(Difference.of(new double[] {1, 2}, new double[] {3, 3}).pcc()).isNaN();
    assertThat(Difference.of(new double[] {1, 1}, new double[] {3, 4}).pcc()).isNaN();
    assertThat(Difference.of(new double[] {1}, new double[] {1}).pcc()).isNaN();
  }

  @Test
  void looksOnlyAtWhatCounts() {
    Difference difference =
        Difference.of(
            new double[] {1, 100, 3}, new double[] {1, 2, 3.5}, new boolean[] {true, false, true});

    assertThat(difference.maxAbsError()).isEqualTo(0.5);
    assertThat(difference.rmsError()).isCloseTo(Math.sqrt(0.125), within(1e-12));
    assertThat(difference.pcc()).isCloseTo(1, within(1e-12));
  }

  @Test
  void isNothingBetweenEqualNumbersEvenOddOnes() {
    double[] odd = {Double.NaN, Double.POSITIVE_INFINITY, 1};

    assertThat(Difference.of(odd, odd.clone()).maxAbsError()).isZero();
  }

  @Test
  void isInfiniteWhereOnlyOneSideIsANumber() {
    assertThat(Difference.of(new double[] {Double.NaN}, new double[] {1}).maxAbsError())
        .isInfinite();
    assertThat(Difference.of(new double[] {1}, new double[] {Double.NaN}).maxAbsError())
        .isInfinite();
    assertThat(
            Difference.of(
                    new double[] {Double.POSITIVE_INFINITY},
                    new double[] {Double.NEGATIVE_INFINITY})
                .maxAbsError())
        .isInfinite();
  }
}
