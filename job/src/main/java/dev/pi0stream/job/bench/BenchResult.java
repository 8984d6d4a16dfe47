package dev.pi0stream.job.bench;

import dev.pi0stream.device.Precision;
import java.util.Map;

/**
 * What was measured; written as JSON with these names. Times are of one batch.
 *
 * @param weights what was loaded: generated weights or a checkpoint's folder
 * @param tokens of each prompt
 * @param computed what every run computes anew
 * @param stageMillis mean, by stage
 * @param stageTeraflops 10¹² operations a second, by stage
 * @param stageShareOfPeak of {@code shareOfPeak}, by stage
 * @param teraflops 10¹² operations a second, over all stages
 * @param shareOfPeak what the products with weights would take at the speed measured for their
 *     shapes in this run, as a share of the mean
 * @param peakTeraflops that speed, weighted by time
 * @param loadSeconds from nothing to weights on the device
 * @param weightBytes of the weights on the device
 * @param valueBytes of all else on the device, when a run has ended
 * @param against the precision that velocities were compared with; null for none
 * @param worstCorrelation of the first velocity with that of the other precision, over five noises
 * @param peakResidentBytes of the process when all runs have ended; null if the system does not say
 */
public record BenchResult(
    String weights,
    String device,
    String precision,
    int cameras,
    int tokens,
    int batch,
    int steps,
    int runs,
    String computed,
    double meanMillis,
    double p50Millis,
    double p95Millis,
    Map<String, Double> stageMillis,
    Map<String, Double> stageTeraflops,
    Map<String, Double> stageShareOfPeak,
    double teraflops,
    double peakTeraflops,
    double shareOfPeak,
    double loadSeconds,
    long weightBytes,
    long valueBytes,
    Long peakResidentBytes,
    String against,
    Double worstCorrelation) {
  /** The same, compared with another precision. */
  BenchResult compared(Precision other, double correlation) {
    return new BenchResult(
        weights,
        device,
        precision,
        cameras,
        tokens,
        batch,
        steps,
        runs,
        computed,
        meanMillis,
        p50Millis,
        p95Millis,
        stageMillis,
        stageTeraflops,
        stageShareOfPeak,
        teraflops,
        peakTeraflops,
        shareOfPeak,
        loadSeconds,
        weightBytes,
        valueBytes,
        peakResidentBytes,
        other.label(),
        correlation);
  }
}
