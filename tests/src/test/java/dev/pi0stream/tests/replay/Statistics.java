package dev.pi0stream.tests.replay;

import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.SafetensorsWriter;
import dev.pi0stream.model.checkpoint.StoredTensor;
import java.io.IOException;
import java.nio.file.Path;

/** Statistics of a checkpoint, to be spoilt. */
final class Statistics {
  private Statistics() {}

  /** Gives each number of the actions the statistics of another one. */
  static void shuffleActions(Path file) throws IOException {
    SafetensorsWriter writer = new SafetensorsWriter();
    try (Safetensors tensors = Safetensors.open(file)) {
      for (StoredTensor tensor : tensors.all()) {
        float[] values = tensor.floats();
        if (tensor.name().startsWith("action.")) {
          for (int i = 0; i < values.length / 2; i++) {
            float first = values[i];
            values[i] = values[values.length - 1 - i];
            values[values.length - 1 - i] = first;
          }
        }
        writer.floats(
            tensor.name(), values, tensor.shape().stream().mapToInt(Integer::intValue).toArray());
      }
    }
    writer.write(file);
  }
}
