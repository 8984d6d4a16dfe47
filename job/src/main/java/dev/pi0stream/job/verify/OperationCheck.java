package dev.pi0stream.job.verify;

import dev.pi0stream.device.Device;
import dev.pi0stream.model.image.ResizeWithPad;
import java.util.Arrays;

/** Single operations: {@code in.*} and {@code weight.*} are given, {@code out.*} is computed. */
final class OperationCheck {
  private final Golden golden;
  private final Device device;
  private final LoadedPolicies policies;

  OperationCheck(Golden golden, Device device, LoadedPolicies policies) {
    this.golden = golden;
    this.device = device;
    this.policies = policies;
  }

  void run(Golden.Operation operation, Comparisons comparisons) {
    try (GoldenFile file = GoldenFile.open(golden, operation.file(), operation.tensors())) {
      OperationOutputs outputs = new OperationOutputs(operation, file, comparisons);
      switch (operation.kind()) {
        case "siglip_tower" -> new SiglipOperation(device, file).run(operation.about(), outputs);
        case "siglip_position_interpolation" ->
            new SiglipOperation(device, file).positions(operation.about(), outputs);
        case "gemma_block", "gemma_block_adaptive" ->
            new GemmaOperation(device, file, policies).run(operation.about(), outputs);
        case "rms_norm" -> new NormOperations(device, file).rmsNorm(operation.about(), outputs);
        case "adaptive_rms_norm" ->
            new NormOperations(device, file).adaptiveRmsNorm(operation.about(), outputs);
        case "rope" -> new RopeOperation(device, file).run(operation.about(), outputs);
        case "time_embedding" -> SuffixOperations.timeEmbedding(operation.about(), file, outputs);
        case "suffix_pi0", "suffix_pi05" ->
            new SuffixOperations(device, file, policies).suffix(operation.about(), outputs);
        case "rtc_weights" -> SuffixOperations.guidanceWeights(operation.about(), outputs);
        case "resize_with_pad" -> new ImageOperations(golden, file).leRobot(outputs);
        case "openpi_resize_with_pad_pil" ->
            new ImageOperations(golden, file).openpi(ResizeWithPad.OPENPI, outputs);
        case "openpi_resize_with_pad_jax" ->
            new ImageOperations(golden, file).openpi(ResizeWithPad.OPENPI_JAX, outputs);
        case "normalisation" -> new StatisticsOperations(file, outputs).leRobot(operation.about());
        case "state_bins" -> new StatisticsOperations(file, outputs).stateBins();
        case "openpi_normalise" ->
            new StatisticsOperations(file, outputs).openpi(golden, operation.about());
        default ->
            comparisons.same(
                operation.file(),
                "(all)",
                false,
                "there is no operation '%s' here".formatted(operation.kind()));
      }
      outputs.finish();
    }
  }

  /**
   * All but the last dimension of a shape: the rows of a tensor whose last dimension is columns.
   */
  static int rows(Values values) {
    int[] shape = values.shape();
    return Values.size(Arrays.copyOf(shape, shape.length - 1));
  }

  /** The last dimension of a shape. */
  static int columns(Values values) {
    return values.shape()[values.shape().length - 1];
  }
}
