package dev.pi0stream.job.verify;

import dev.pi0stream.device.reference.ReferenceDevice;
import dev.pi0stream.model.engine.IdentityNoise;
import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Whole cases from other noises: a golden file holds one, and where rounding happens to do little
 * with it, another one shows more. There is no golden x for these, so it is the {@code reference}
 * device's, which the cases themselves prove. Below fp32 the error is told in terms of LeRobot's
 * own in bfloat16 for the case, as that from the golden noise is.
 */
final class NoiseCheck implements AutoCloseable {
  private final Golden golden;
  private final int noises;
  private final ReferenceDevice device = new ReferenceDevice();
  private final LoadedPolicies reference;
  private final List<Double> ratios = new ArrayList<>();
  private Worst worstNoise = new Worst(0, "");
  private Worst worstSample = new Worst(0, "");

  /** The largest error so far, in terms of LeRobot's own, and whose it is. */
  private record Worst(double ratio, String of) {
    Worst or(double other, String whose) {
      return other > ratio ? new Worst(other, whose) : this;
    }
  }

  NoiseCheck(Golden golden, int noises) {
    this.golden = golden;
    this.noises = noises;
    this.reference = new LoadedPolicies(golden, device);
  }

  /** Computes a case's final x from other noises, here and there. */
  void run(GoldenCase entry, List<ModelInput> inputs, Policy policy, Comparisons comparisons) {
    String name = "x.step" + entry.steps();
    Criterion criterion = comparisons.device(entry.tolerances().of(name));
    Double own = golden.errors().get(entry.name());
    boolean relative = own != null && criterion instanceof Criterion.Correlation;
    if (relative) {
      criterion = new Criterion.RootMeanSquare(comparisons.errorRatios().worst() * own);
    }
    Policy exact = reference.policy(entry).policy();
    for (int noise = 1; noise <= noises; noise++) {
      List<Sample> samples = samples(entry, inputs, policy.chunkNumbers(), noise);
      List<float[]> computed = policy.sample(samples, entry.steps()).x();
      List<float[]> expected = exact.sample(samples, entry.steps()).x();
      Difference difference = Difference.of(wide(computed), wide(expected));
      String note = null;
      if (relative) {
        String whose = "%s, noise %d".formatted(entry.name(), noise);
        double ratio = difference.rmsError() / own;
        note = "r %.3f".formatted(ratio);
        ratios.add(ratio);
        worstNoise = worstNoise.or(ratio, whose);
        for (int row = 0; row < computed.size(); row++) {
          Difference one =
              Difference.of(wide(List.of(computed.get(row))), wide(List.of(expected.get(row))));
          worstSample = worstSample.or(one.rmsError() / own, whose + ", row " + row);
        }
      }
      String component = "%s from noise %d".formatted(name, noise);
      comparisons.add(Result.of(entry.file(), component, difference, criterion, note));
    }
  }

  private static List<Sample> samples(
      GoldenCase entry, List<ModelInput> inputs, int numbers, int noise) {
    List<Sample> samples = new ArrayList<>();
    for (int row = 0; row < inputs.size(); row++) {
      ObservationId id = new ObservationId("verify", entry.name(), row);
      samples.add(new Sample(inputs.get(row), new IdentityNoise(noise).draw(id, numbers), null));
    }
    return samples;
  }

  private static double[] wide(List<float[]> rows) {
    return rows.stream()
        .flatMapToDouble(row -> IntStream.range(0, row.length).mapToDouble(i -> row[i]))
        .toArray();
  }

  /** Below fp32: the root mean square over all cases and noises, and the worst of them. */
  void summarise(Comparisons comparisons) {
    if (ratios.isEmpty()) {
      return;
    }
    double rms =
        Math.sqrt(ratios.stream().mapToDouble(ratio -> ratio * ratio).average().orElseThrow());
    Comparisons.ErrorRatios allowed = comparisons.errorRatios();
    comparisons.add(
        new Result(
            golden.errorsFile(),
            "the same from %d other noises, against the reference device".formatted(noises),
            null,
            worstNoise.ratio,
            rms,
            allowed.rms(),
            rms <= allowed.rms() && worstNoise.ratio <= allowed.worst(),
            "rms %.3f, worst %.3f (%s); worst sample %.3f (%s)"
                .formatted(
                    rms, worstNoise.ratio, worstNoise.of, worstSample.ratio, worstSample.of)));
  }

  @Override
  public void close() {
    reference.close();
    device.close();
  }
}
