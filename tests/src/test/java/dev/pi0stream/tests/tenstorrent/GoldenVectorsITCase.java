package dev.pi0stream.tests.tenstorrent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.device.Precision;
import dev.pi0stream.device.tt.TtDevice;
import dev.pi0stream.job.verify.Result;
import dev.pi0stream.job.verify.Verification;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@code pi0 verify --device tt} over the double of TTNN, from the golden noise and five others.
 */
@Tag("long")
class GoldenVectorsITCase {
  private static final Path GOLDEN = Path.of("golden");
  private static final int NOISES = 5;

  /**
   * A device passes.
   *
   * @param rms at most, over all cases, of the error in terms of LeRobot's own in bfloat16
   * @param worst at most, of any case
   */
  @ParameterizedTest
  @CsvSource({
    "ttnn_double.unrounded, FP32, 0, 0",
    "ttnn_double, BF16, 1.2, 1.8",
    "ttnn_double, BFP8, 3, 4"
  })
  void everythingPasses(String module, Precision precision, double rms, double worst) {
    try (TtDevice device = MockChips.open(module, precision)) {
      Verification.Outcome outcome =
          Verification.open(GOLDEN, List.of()).run(device, NOISES, _ -> {});
      List<Result> ratios =
          outcome.results().stream()
              .filter(result -> result.file().equals("bf16-errors.json"))
              .toList();
      System.out.printf("%s: %s%n", module, outcome.summary());
      ratios.forEach(result -> System.out.printf("  %s: %s%n", result.component(), result.note()));
      assertThat(outcome.results().stream().filter(result -> !result.pass())).isEmpty();
      // In fp32 there is nothing that rounding does.
      assertThat(ratios).hasSize(precision == Precision.FP32 ? 0 : 2);
      for (Result ratio : ratios) {
        assertThat(ratio.rmsError()).as(ratio.component()).isLessThanOrEqualTo(rms);
        assertThat(ratio.maxAbsError()).as(ratio.component()).isLessThanOrEqualTo(worst);
      }
    }
  }
}
