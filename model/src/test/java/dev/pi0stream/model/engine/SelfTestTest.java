package dev.pi0stream.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.cpu.CpuDevice;
import dev.pi0stream.device.reference.ReferenceDevice;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.SafetensorsWriter;
import dev.pi0stream.model.checkpoint.StoredTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A policy proves itself on its golden observation before it is served. */
class SelfTestTest {
  private static final Path CHECKPOINTS = Path.of("../tests/golden/checkpoints");

  @TempDir private Path folder;

  @BeforeEach
  void writeAGoldenObservation() throws IOException {
    copy("pi0-tiny");
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      SelfTest.write(checkpoint);
    }
  }

  @Test
  void passesOnEveryBackEnd() {
    load(new ReferenceDevice());
    load(CpuDevice.open(Precision.FP32));
    load(CpuDevice.open(Precision.BF16));
  }

  @Test
  void passesForPi05() throws IOException {
    copy("pi05-tiny");
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      SelfTest.write(checkpoint);
    }

    load(new ReferenceDevice());
  }

  @Test
  void isTheSameEveryTime() throws IOException {
    byte[] first = Files.readAllBytes(folder.resolve(SelfTest.FILE));
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      SelfTest.write(checkpoint);
    }

    assertThat(folder.resolve(SelfTest.FILE)).hasBinaryContent(first);
  }

  @Test
  void refusesOtherWeights() throws IOException {
    spoil("model.safetensors", "model.action_out_proj.bias");

    assertThatThrownBy(() -> load(new ReferenceDevice()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(SelfTest.FILE)
        .hasMessageContaining("is of a checkpoint with digest");
  }

  @Test
  void refusesOtherStatisticsOfTheState() throws IOException {
    spoil("policy_preprocessor_step_6_normalizer_processor.safetensors", "observation.state.mean");

    assertThatThrownBy(() -> load(new ReferenceDevice()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("x differs by");
  }

  @Test
  void refusesOtherStatisticsOfTheActions() throws IOException {
    spoil("policy_postprocessor_step_0_unnormalizer_processor.safetensors", "action.mean");

    assertThatThrownBy(() -> load(new ReferenceDevice()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining("actions differs by");
  }

  @Test
  void refusesAnotherChunkInBothPrecisions() throws IOException {
    spoil(SelfTest.FILE, "x");

    assertThatThrownBy(() -> load(CpuDevice.open(Precision.FP32)))
        .hasMessageContaining("x differs by");
    assertThatThrownBy(() -> load(CpuDevice.open(Precision.BF16)))
        .hasMessageContaining("x differs by");
  }

  @Test
  void refusesAFileThatIsNoGoldenObservation() throws IOException {
    Files.copy(
        folder.resolve("model.safetensors"),
        folder.resolve(SelfTest.FILE),
        StandardCopyOption.REPLACE_EXISTING);

    assertThatThrownBy(() -> load(new ReferenceDevice()))
        .isInstanceOf(CheckpointException.class)
        .hasMessageContaining(SelfTest.FILE);
  }

  private void load(Device device) {
    try (Checkpoint checkpoint = Checkpoint.open(folder);
        ResidentPolicy policy = ResidentPolicy.load(checkpoint, device)) {
      assertThat(policy.checkpointDigest()).isEqualTo(checkpoint.id());
    }
  }

  private void copy(String checkpoint) throws IOException {
    try (Stream<Path> files = Files.list(CHECKPOINTS.resolve(checkpoint))) {
      for (Path file : files.toList()) {
        Files.copy(file, folder.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  /** Adds a half to every second number of a tensor. */
  private void spoil(String file, String name) throws IOException {
    Path changed = folder.resolve("changed");
    try (Safetensors source = Safetensors.open(folder.resolve(file))) {
      SafetensorsWriter writer = new SafetensorsWriter();
      source.metadata().forEach(writer::metadata);
      for (StoredTensor tensor : source.all()) {
        if (tensor.name().equals(name)) {
          float[] values = tensor.floats();
          for (int i = 0; i < values.length; i += 2) {
            values[i] += 0.5f;
          }
          int[] shape = tensor.shape().stream().mapToInt(Integer::intValue).toArray();
          writer.floats(name, values, shape);
        } else {
          writer.tensor(tensor);
        }
      }
      writer.write(changed);
    }
    Files.move(changed, folder.resolve(file), StandardCopyOption.REPLACE_EXISTING);
  }
}
