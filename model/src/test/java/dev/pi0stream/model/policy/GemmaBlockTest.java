package dev.pi0stream.model.policy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.device.reference.ReferenceDevice;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.Dimensions;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Single blocks. The vectors have a mask of two blocks of rows, of which the second attends both:
 * the first one's keys and values are the second one's context, as with prefix and suffix.
 */
class GemmaBlockTest {
  private static final float EPSILON = 1e-6f;
  private static final double ROPE_BASE = 10_000;

  static Stream<JsonNode> blocks() {
    return Stream.of("gemma_block", "gemma_block_adaptive").flatMap(Golden::operations);
  }

  @ParameterizedTest
  @MethodSource("blocks")
  void computesEveryPartAsTransformersDoes(JsonNode entry) {
    JsonNode sizes = entry.get("parameters");
    try (Safetensors file = Golden.open(entry);
        Device device = new ReferenceDevice()) {
      if (sizes.has("checkpoint")) {
        try (Checkpoint checkpoint = Golden.checkpoint(sizes.get("checkpoint").textValue())) {
          boolean language = sizes.get("stack").textValue().equals("language");
          Weights stack = language ? checkpoint.language() : checkpoint.expert();
          Dimensions dimensions = checkpoint.dimensions();
          check(
              entry,
              file,
              device,
              stack.in("layers." + sizes.get("layer").intValue() + "."),
              language ? dimensions.language() : dimensions.expert());
        }
      } else {
        Heads heads =
            new Heads(
                sizes.get("heads").intValue(),
                sizes.get("kv_heads").intValue(),
                sizes.get("head_dim").intValue());
        check(
            entry,
            file,
            device,
            Weights.of(file).in("weight."),
            new Dimensions.Stack(
                sizes.get("width").intValue(), sizes.get("mlp").intValue(), 1, heads));
      }
    }
  }

  private static void check(
      JsonNode entry, Safetensors file, Device device, Weights weights, Dimensions.Stack stack) {
    GemmaBlock block = GemmaBlock.load(device, weights, stack, EPSILON);
    int batch = file.get("in.hidden").shape().getFirst();
    for (int row = 0; row < batch; row++) {
      Modulation.OfBlock modulation = Modulation.OfBlock.NONE;
      if (file.find("in.cond").isPresent()) {
        float[] condition = Golden.row(file, "in.cond", row);
        modulation = modulation(device, weights, stack.width(), condition);
        Golden.assertClose(
            "gate",
            device.download(((Modulation.Adaptive) modulation.attention()).gate()),
            Golden.row(file, "out.input_layernorm.gate", row),
            entry.get("tolerance").doubleValue());
      }
      new Rows(entry, file, device, block, stack, modulation, row).check();
    }
  }

  private static Modulation.OfBlock modulation(
      Device device, Weights weights, int width, float[] condition) {
    Tensor row = device.upload(condition, 1, condition.length);
    return new Modulation.OfBlock(
        Modulator.load(device, weights.in("input_layernorm.dense."), width, condition.length)
            .modulation(row),
        Modulator.load(
                device, weights.in("post_attention_layernorm.dense."), width, condition.length)
            .modulation(row));
  }

  /** One row of the batch. */
  private record Rows(
      JsonNode entry,
      Safetensors file,
      Device device,
      GemmaBlock block,
      Dimensions.Stack stack,
      Modulation.OfBlock modulation,
      int row) {

    void check() {
      List<int[]> groups = groups();
      KeyValues first = run(groups.getFirst(), null);
      run(groups.getLast(), first);
    }

    /** The places of the rows of both blocks, without padding. */
    private List<int[]> groups() {
      int length = file.get("in.hidden").shape().get(1);
      boolean[] mask = file.get("in.pad_mask").booleans();
      long[] starts = file.get("in.block_starts").longs();
      List<List<Integer>> groups = List.of(new ArrayList<>(), new ArrayList<>());
      int group = 0;
      for (int i = 0; i < length; i++) {
        group += (int) starts[row * length + i];
        if (mask[row * length + i]) {
          groups.get(group).add(i);
        }
      }
      return groups.stream()
          .map(places -> places.stream().mapToInt(Integer::intValue).toArray())
          .toList();
    }

    /** Runs the rows at some places and returns their keys and values. */
    private KeyValues run(int[] places, KeyValues context) {
      int length = file.get("in.hidden").shape().get(1);
      long[] all = file.get("in.positions").longs();
      int[] positions =
          IntStream.of(places).map(place -> (int) all[row * length + place]).toArray();
      Sequences sequences = Sequences.of(places.length);
      KeyValues own = device.keyValues(sequences, 1, stack.heads());
      Mask mask =
          context == null ? device.mask(sequences) : device.mask(sequences, context.sequences());
      AttentionPlan plan =
          new AttentionPlan(
              mask,
              device.rotation(positions, sequences, stack.heads().size(), ROPE_BASE),
              context,
              own);
      Tensor x = device.upload(at(places, "in.hidden"), places.length, stack.width());
      Tensor normed = block.inputNorm(x, modulation);
      close("input_layernorm", places, normed);
      close("self_attn", places, block.selfAttention(normed, plan, 0));
      Tensor middle =
          block.postAttentionNorm(block.attentionHalf(x, plan, 0, modulation), modulation);
      close("post_attention_layernorm", places, middle);
      close("mlp", places, block.mlp(middle));
      close("block", places, block.forward(x, plan, 0, modulation));
      return own;
    }

    private void close(String name, int[] places, Tensor found) {
      Golden.assertClose(
          name,
          device.download(found),
          at(places, "out." + name),
          entry.get("tolerance").doubleValue());
    }

    private float[] at(int[] places, String name) {
      float[] values = Golden.row(file, name, row);
      int width = stack.width();
      float[] picked = new float[places.length * width];
      for (int i = 0; i < places.length; i++) {
        System.arraycopy(values, places[i] * width, picked, i * width, width);
      }
      return picked;
    }
  }

  @ParameterizedTest
  @MethodSource("adaptiveNorms")
  void adaptiveNormsScaleAndShiftAsOpenpiDoes(JsonNode entry) {
    try (Safetensors file = Golden.open(entry);
        Device device = new ReferenceDevice()) {
      for (int i = 0; file.find("in." + i + ".x").isPresent(); i++) {
        List<Integer> shape = file.get("in." + i + ".x").shape();
        int width = shape.getLast();
        int conditionWidth = file.get("in." + i + ".cond").shape().getLast();
        Modulator modulator =
            Modulator.load(
                device, Weights.of(file).in("weight." + i + ".dense."), width, conditionWidth);
        for (int row = 0; row < shape.getFirst(); row++) {
          Tensor x = device.upload(Golden.row(file, "in." + i + ".x", row), shape.get(1), width);
          float[] condition = Golden.row(file, "in." + i + ".cond", row);
          Modulation.Adaptive modulation =
              modulator.modulation(device.upload(condition, 1, conditionWidth));
          Tensor y = modulation.normalize(device, x, device.rmsNorm(null, width, EPSILON));
          double tolerance = entry.get("tolerance").doubleValue();
          Golden.assertClose(
              "y", device.download(y), Golden.row(file, "out." + i + ".y", row), tolerance);
          Golden.assertClose(
              "gate",
              device.download(modulation.gate()),
              Golden.row(file, "out." + i + ".gate", row),
              tolerance);
        }
      }
    }
  }

  static Stream<JsonNode> adaptiveNorms() {
    return Golden.operations("adaptive_rms_norm");
  }
}
