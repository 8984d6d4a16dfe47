package dev.pi0stream.model.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.device.reference.ReferenceDevice;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.Safetensors;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SuffixTest {
  static Stream<JsonNode> suffixes() {
    return Stream.of("suffix_pi0", "suffix_pi05").flatMap(Golden::operations);
  }

  @ParameterizedTest
  @MethodSource("suffixes")
  void embedsStateActionsAndTimeAsLeRobotDoes(JsonNode entry) {
    double tolerance = entry.get("tolerance").doubleValue();
    try (Safetensors file = Golden.open(entry);
        Checkpoint checkpoint = Golden.checkpoint(entry.get("checkpoint").textValue());
        Device device = new ReferenceDevice()) {
      Suffix suffix = Suffix.load(device, checkpoint);
      List<Integer> shape = file.get("in.x").shape();
      for (int row = 0; row < shape.getFirst(); row++) {
        float[] expected = Golden.row(file, "out.embs", row);
        int leading = suffix.leadingRows() * checkpoint.dimensions().expert().width();
        if (suffix instanceof Pi0Suffix pi0) {
          float[] state = Golden.row(file, "in.state", row);
          Tensor embedded = pi0.embedStates(device.upload(state, 1, suffix.stateColumns()));
          Golden.assertClose(
              "state",
              device.download(embedded),
              Arrays.copyOfRange(expected, 0, leading),
              tolerance);
        }
        Suffix.Step step = suffix.step(file.get("in.time").floats()[row]);
        if (step instanceof Pi05Suffix.Conditioned conditioned) {
          Golden.assertClose(
              "cond",
              device.download(conditioned.condition()),
              Golden.row(file, "out.cond", row),
              tolerance);
        }
        Tensor actions =
            device.upload(Golden.row(file, "in.x", row), shape.get(1), shape.getLast());
        Golden.assertClose(
            "actions",
            device.download(step.embed(actions)),
            Arrays.copyOfRange(expected, leading, expected.length),
            tolerance);
      }
    }
  }

  @Test
  void embedsTimesAsLeRobotDoes() {
    JsonNode entry = Golden.named("ops", "time-embedding");
    try (Safetensors file = Golden.open(entry)) {
      for (String name : List.of("w6", "w48", "w1024")) {
        float[] times = file.get("in.times." + name).floats();
        int width = Integer.parseInt(name.substring(1));
        TimeEmbedding embedding =
            new TimeEmbedding(
                width,
                entry.at("/parameters/min_period").doubleValue(),
                entry.at("/parameters/max_period").doubleValue());
        for (int row = 0; row < times.length; row++) {
          Golden.assertClose(
              name,
              embedding.at(times[row]),
              Golden.row(file, "out." + name, row),
              entry.get("tolerance").doubleValue());
        }
      }
    }
  }

  @Test
  void usesAPrefixThatIsAlreadyInPlace() {
    try (Device device = new ReferenceDevice()) {
      var heads = new Heads(0, 1, 2);
      var sequences = Sequences.of(1, 2);
      var prefix = device.keyValues(sequences, 1, heads);
      device.store(device.upload(new float[12], sequences, 4), heads, prefix, 0);
      Device.Part first = new Device.Part(prefix, 0);
      Device.Part second = new Device.Part(prefix, 1);

      assertThat(Suffix.gather(device, List.of(first, second))).isSameAs(prefix);
      assertThat(Suffix.gather(device, List.of(second, first)).sequences())
          .isEqualTo(Sequences.of(2, 1));
      assertThat(Suffix.gather(device, List.of(first)).sequences().count()).isEqualTo(1);
    }
  }
}
