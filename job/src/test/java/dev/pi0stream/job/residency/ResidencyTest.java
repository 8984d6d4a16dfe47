package dev.pi0stream.job.residency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.reference.ReferenceDevice;
import dev.pi0stream.job.bench.BenchSettings;
import dev.pi0stream.job.bench.Stage;
import dev.pi0stream.job.bench.Work;
import dev.pi0stream.model.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ResidencyTest {
  private static final Path CHECKPOINT = Path.of("../examples/checkpoint");
  private static final Set<String> PRODUCTS = Set.of("linear", "gatedLinear", "attention");
  private static final int CAMERAS = 2;
  private static final int TOKENS = 5;
  private static final int BATCH = 3;

  @Test
  void theArithmeticOfEveryStageIsWhatHasToBeMultiplied() {
    try (Checkpoint checkpoint = Checkpoint.open(CHECKPOINT);
        Device device = new ReferenceDevice()) {
      Residency residency = Residency.of("it", checkpoint, device, CAMERAS, TOKENS, BATCH);
      Work work =
          Work.of(
              new BenchSettings(
                  CAMERAS,
                  TOKENS,
                  BATCH,
                  checkpoint.config().inferenceSteps(),
                  1,
                  0,
                  BenchSettings.Scope.FULL),
              checkpoint.config(),
              checkpoint.dimensions());
      for (Stage stage : Stage.values()) {
        double counted =
            residency.modules().stream()
                .filter(module -> module.stage().equals(stage.label()))
                .filter(module -> PRODUCTS.contains(module.operation()))
                .mapToDouble(module -> module.gigaflops() * 1e9)
                .sum();
        assertThat(counted).isCloseTo(work.operations(stage), within(counted * 0.01));
      }
    }
  }

  @Test
  void onlyWhatARobotSendsMovesAndOnlyTheChunkComesBack() {
    try (Checkpoint checkpoint = Checkpoint.open(CHECKPOINT);
        Device device = new ReferenceDevice()) {
      Residency residency = Residency.of("it", checkpoint, device, CAMERAS, TOKENS, BATCH);
      List<Residency.Move> back =
          residency.transfers().stream()
              .filter(move -> move.direction().equals("to host"))
              .toList();
      assertThat(back).hasSize(1);
      assertThat(back.getFirst().bytes())
          .isEqualTo(
              4L
                  * BATCH
                  * checkpoint.config().chunkSize()
                  * checkpoint.config().maxActionDimension());
      assertThat(
              residency.transfers().stream().map(Residency.Move::what).collect(Collectors.toSet()))
          .containsExactlyInAnyOrder("images", "indices", "rotation", "upload", "download");
      assertThat(residency.modules()).allMatch(module -> module.where().equals("device"));
      assertThat(residency.modules().stream().map(Residency.Module::name))
          .contains(
              "patches",
              "vision_tower.vision_model.encoder.layers.*.self_attn.qkv",
              "multi_modal_projector.linear",
              "language_model.layers.*.mlp.gate_up",
              "gemma_expert.model.layers.*.self_attn.o_proj",
              "rope",
              "attention",
              "axpy",
              "action_out_proj");
    }
  }
}
