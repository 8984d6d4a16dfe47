package dev.pi0stream.job.verify;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.device.Device;
import dev.pi0stream.device.Device.Part;
import dev.pi0stream.device.Device.Rows;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Rotation;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.Dimensions;
import dev.pi0stream.model.checkpoint.Weights;
import dev.pi0stream.model.policy.AttentionPlan;
import dev.pi0stream.model.policy.GemmaBlock;
import dev.pi0stream.model.policy.Modulation;
import dev.pi0stream.model.policy.Modulator;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One block of a Gemma stack over a masked sequence. There are no masks here: padded tokens are
 * left out, and the tokens of each part attend the keys and values of the parts before and
 * themselves, as prefix and suffix do. What the file has for tokens that are left out means nothing
 * and does not count.
 */
final class GemmaOperation {
  private final Device device;
  private final GoldenFile file;
  private final LoadedPolicies policies;
  private final Values hidden;
  private final int batch;
  private final int length;
  private final int width;
  private final boolean[] allowed;
  private final float[] inputGate;
  private final float[] inputNorm;
  private final float[] attention;
  private final float[] postNorm;
  private final float[] mlp;
  private final float[] block;

  GemmaOperation(Device device, GoldenFile file, LoadedPolicies policies) {
    this.device = device;
    this.file = file;
    this.policies = policies;
    hidden = file.get("in.hidden");
    batch = hidden.dimension(0);
    length = hidden.dimension(1);
    width = hidden.dimension(2);
    allowed = new boolean[batch * length * length];
    inputGate = new float[batch * width];
    inputNorm = new float[batch * length * width];
    attention = new float[inputNorm.length];
    postNorm = new float[inputNorm.length];
    mlp = new float[inputNorm.length];
    block = new float[inputNorm.length];
  }

  void run(JsonNode about, OperationOutputs outputs) {
    try (Layer layer = load(about.path("parameters"))) {
      for (int row = 0; row < batch; row++) {
        compute(layer, row);
      }
    }
    boolean[] valid = file.get("in.pad_mask").booleans();
    int[] shape = hidden.shape();
    outputs.host("attention_allowed", () -> Values.of(allowed, batch, length, length));
    outputs.norm("input_layernorm", () -> Values.of(inputNorm, shape));
    outputs.device("input_layernorm.gate", () -> Values.of(inputGate, batch, 1, width));
    outputs.device("self_attn", () -> Values.of(attention, shape), valid);
    outputs.norm("post_attention_layernorm", () -> Values.of(postNorm, shape), valid);
    outputs.device("mlp", () -> Values.of(mlp, shape), valid);
    outputs.device("block", () -> Values.of(block, shape), valid);
  }

  /** The block's weights, from the file or from a checkpoint. */
  private Layer load(JsonNode parameters) {
    if (!parameters.has("checkpoint")) {
      Heads heads =
          new Heads(
              parameters.path("heads").asInt(),
              parameters.path("kv_heads").asInt(),
              parameters.path("head_dim").asInt());
      return new Layer(
          file.weights("weight."),
          new Dimensions.Stack(width, parameters.path("mlp").asInt(), 1, heads),
          parameters.path("rope_theta").asDouble(10000),
          (float) parameters.path("rms_norm_eps").asDouble(1e-6));
    }
    Checkpoint checkpoint = policies.checkpoint(parameters.path("checkpoint").asText());
    boolean expert = parameters.path("stack").asText().equals("expert");
    Dimensions dimensions = checkpoint.dimensions();
    Weights weights = expert ? checkpoint.expert() : checkpoint.language();
    return new Layer(
        weights.in("layers.%d.".formatted(parameters.path("layer").asInt())),
        expert ? dimensions.expert() : dimensions.language(),
        dimensions.ropeBase(),
        dimensions.rmsNormEpsilon());
  }

  private void compute(Layer layer, int row) {
    boolean[] valid = file.get("in.pad_mask").row(row).booleans();
    int[] starts = file.get("in.block_starts").row(row).integers();
    int[] positions = file.get("in.positions").row(row).integers();
    try (Scope _ = device.scope()) {
      Modulation.OfBlock modulation = layer.modulation(row);
      if (modulation.attention() instanceof Modulation.Adaptive adaptive) {
        System.arraycopy(device.download(adaptive.gate()), 0, inputGate, row * width, width);
      }
      Tensor all = device.upload(hidden.row(row).floats(), length, width);
      List<Integer> tokens = IntStream.range(0, length).boxed().toList();
      put(inputNorm, row, tokens, layer.block.inputNorm(all, modulation));
      List<Part> context = new ArrayList<>();
      List<Integer> attended = new ArrayList<>();
      for (int from = 0; from < length; ) {
        int to = from + 1;
        while (to < length && starts[to] == 0) {
          to++;
        }
        List<Integer> own =
            IntStream.range(from, to).filter(token -> valid[token]).boxed().toList();
        from = to;
        if (own.isEmpty()) {
          continue;
        }
        attended.addAll(own);
        allow(row, own, attended);
        Sequences sequence = Sequences.of(own.size());
        KeyValues stored = device.keyValues(sequence, 1, layer.stack.heads());
        Rotation rotation =
            device.rotation(
                own.stream().mapToInt(token -> positions[token]).toArray(),
                sequence,
                layer.stack.heads().size(),
                layer.ropeBase);
        AttentionPlan plan;
        if (context.isEmpty()) {
          plan = AttentionPlan.own(device.mask(sequence), rotation).storing(stored);
        } else {
          KeyValues before = device.join(List.of(context));
          Mask mask = device.mask(sequence, before.sequences());
          plan = AttentionPlan.own(mask, rotation).attending(before).storing(stored);
        }
        Tensor x =
            device.rows(List.of(own.stream().map(token -> new Rows(all, token, 1)).toList()));
        parts(layer.block, x, plan, modulation, row, own);
        context.add(new Part(stored, 0));
      }
    }
  }

  /** The block as a whole, and what goes on inside it. */
  private void parts(
      GemmaBlock gemma,
      Tensor x,
      AttentionPlan plan,
      Modulation.OfBlock modulation,
      int row,
      List<Integer> own) {
    put(attention, row, own, gemma.selfAttention(gemma.inputNorm(x, modulation), plan, 0));
    Tensor half = gemma.attentionHalf(x, plan, 0, modulation);
    Tensor normed = gemma.postAttentionNorm(half, modulation);
    put(postNorm, row, own, normed);
    put(mlp, row, own, gemma.mlp(normed));
    put(block, row, own, gemma.forward(x, plan, 0, modulation));
  }

  private void put(float[] into, int row, List<Integer> tokens, Tensor tensor) {
    float[] values = device.download(tensor);
    for (int i = 0; i < tokens.size(); i++) {
      System.arraycopy(values, i * width, into, (row * length + tokens.get(i)) * width, width);
    }
  }

  private void allow(int row, List<Integer> queries, List<Integer> keys) {
    for (int query : queries) {
      for (int key : keys) {
        allowed[(row * length + query) * length + key] = true;
      }
    }
  }

  /** A block on the device, with what makes its norms adaptive where they are. */
  private final class Layer implements AutoCloseable {
    private final Dimensions.Stack stack;
    private final double ropeBase;
    private final GemmaBlock block;
    private final List<Modulator> modulators = new ArrayList<>();

    Layer(Weights weights, Dimensions.Stack stack, double ropeBase, float epsilon) {
      this.stack = stack;
      this.ropeBase = ropeBase;
      block = GemmaBlock.load(device, weights, stack, epsilon);
      if (file.has("in.cond")) {
        int condition = file.get("in.cond").dimension(1);
        for (String norm : List.of("input_layernorm", "post_attention_layernorm")) {
          modulators.add(Modulator.load(device, weights.in(norm + ".dense."), width, condition));
        }
      }
    }

    /** What the condition of a row of the batch does. */
    Modulation.OfBlock modulation(int row) {
      if (modulators.isEmpty()) {
        return Modulation.OfBlock.NONE;
      }
      float[] values = file.get("in.cond").row(row).floats();
      Tensor condition = device.upload(values, 1, values.length);
      return new Modulation.OfBlock(
          modulators.getFirst().modulation(condition), modulators.getLast().modulation(condition));
    }

    @Override
    public void close() {
      block.close();
      modulators.forEach(Modulator::close);
    }
  }
}
