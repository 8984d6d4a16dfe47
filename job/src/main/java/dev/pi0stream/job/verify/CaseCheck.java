package dev.pi0stream.job.verify;

import dev.pi0stream.model.checkpoint.PolicyConfig;
import dev.pi0stream.model.checkpoint.PolicyType;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.policy.Guidance;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whole cases: raw frames, state and prompt go through the processor, the policy and back to the
 * robot's units, and every tensor of the file is compared with what came up on the way. Only the
 * noise, and with real-time chunking the leftover, is taken from the file.
 */
final class CaseCheck {
  private static final Pattern EVERY = Pattern.compile("(image\\..*)\\.every(\\d+)");
  private static final List<String> INPUTS = List.of("noise", "previous");
  private static final int PAD_TOKEN = 0;

  private final Golden golden;
  private final LoadedPolicies policies;
  private final NoiseCheck noises; // null for none
  private final Map<String, Double> ratios = new LinkedHashMap<>();
  private double worstSample;

  /**
   * Cases of a folder.
   *
   * @param noises computes them from other noises too; null for the golden one alone
   */
  CaseCheck(Golden golden, LoadedPolicies policies, NoiseCheck noises) {
    this.golden = golden;
    this.policies = policies;
    this.noises = noises;
  }

  void run(GoldenCase entry, Comparisons comparisons) {
    try (GoldenFile file = GoldenFile.open(golden, entry.file(), entry.tensors());
        GoldenFile inputs = GoldenFile.open(golden, entry.inputs())) {
      List<String> expected =
          file.names(name -> !name.startsWith("raw.") && !INPUTS.contains(name));
      Run run;
      Map<String, Component> computed;
      try {
        run = new Run(entry, file, inputs);
        computed = run.compute();
      } catch (GoldenException e) {
        throw e;
      } catch (RuntimeException e) {
        expected.forEach(name -> comparisons.fail(file.name(), name, e));
        return;
      }
      for (String name : expected) {
        compare(entry, file, name, computed, comparisons);
      }
      if (noises != null && entry.realTime() == null) {
        noises.run(entry, run.inputs, run.loaded.policy(), comparisons);
      }
    }
  }

  /**
   * A tensor by its name in the golden file.
   *
   * @param onDevice whether the device's precision bears on it
   * @param counts which numbers mean something; null for all
   */
  private record Component(Supplier<Values> values, boolean onDevice, boolean[] counts) {}

  private void compare(
      GoldenCase entry,
      GoldenFile file,
      String name,
      Map<String, Component> computed,
      Comparisons comparisons) {
    Matcher thinned = EVERY.matcher(name);
    boolean thin = thinned.matches();
    Component component = computed.get(thin ? thinned.group(1) : name);
    Criterion fp32 = entry.tolerances().of(name);
    if (component == null) {
      comparisons.fail(file.name(), name, fp32, "nothing computes such a tensor");
      return;
    }
    Values expected = file.get(name);
    try {
      Values values = component.values().get();
      if (thin) {
        values = everyNth(values, Integer.parseInt(thinned.group(2)));
      }
      Criterion criterion = component.onDevice() ? comparisons.device(fp32) : fp32;
      String note = null;
      Double reference = golden.errors().get(entry.name());
      boolean result = name.equals("x.step" + entry.steps()) && entry.realTime() == null;
      if (result && reference != null && criterion instanceof Criterion.Correlation) {
        criterion = new Criterion.RootMeanSquare(comparisons.errorRatios().worst() * reference);
        double error = Difference.of(values.values(), expected.values()).rmsError();
        ratios.put(entry.name(), error / reference);
        worstSample = Math.max(worstSample, worstRow(values, expected) / reference);
        note = "r %.3f".formatted(error / reference);
      }
      comparisons.compare(file.name(), name, values, expected, criterion, component.counts(), note);
    } catch (RuntimeException e) {
      comparisons.fail(file.name(), name, e);
    }
  }

  /** The largest rms error of a row of the batch: of one robot's chunk. */
  private static double worstRow(Values computed, Values expected) {
    double worst = 0;
    for (int row = 0; row < expected.dimension(0); row++) {
      double[] own = computed.row(row).values();
      worst = Math.max(worst, Difference.of(own, expected.row(row).values()).rmsError());
    }
    return worst;
  }

  /** Below fp32: the root mean square, over the cases, of the error in terms of LeRobot's own. */
  void summarise(Comparisons comparisons) {
    if (ratios.isEmpty()) {
      return;
    }
    double[] values = ratios.values().stream().mapToDouble(Double::doubleValue).toArray();
    double squares = Arrays.stream(values).map(ratio -> ratio * ratio).sum();
    double rms = Math.sqrt(squares / values.length);
    double worst = Arrays.stream(values).max().orElseThrow();
    Comparisons.ErrorRatios allowed = comparisons.errorRatios();
    comparisons.add(
        new Result(
            golden.errorsFile(),
            "rms error of the final x in terms of LeRobot's bfloat16, over the cases",
            null,
            worst,
            rms,
            allowed.rms(),
            rms <= allowed.rms() && worst <= allowed.worst(),
            "rms %.3f, worst %.3f (at most %.1f) of %d cases; worst sample %.3f"
                .formatted(rms, worst, allowed.worst(), values.length, worstSample)));
    if (noises != null) {
      noises.summarise(comparisons);
    }
  }

  private static Values everyNth(Values image, int n) {
    int batch = image.dimension(0);
    int channels = image.dimension(1);
    int height = image.dimension(2);
    int width = image.dimension(3);
    int rows = (height + n - 1) / n;
    int columns = (width + n - 1) / n;
    double[] out = new double[batch * channels * rows * columns];
    for (int i = 0; i < out.length; i++) {
      int plane = i / (rows * columns);
      int row = i / columns % rows;
      int column = i % columns;
      out[i] = image.values()[(plane * height + row * n) * width + column * n];
    }
    return Values.of(out, batch, channels, rows, columns);
  }

  /** One case on its way through the policy. */
  private final class Run {
    private final GoldenCase entry;
    private final GoldenFile file;
    private final GoldenFile raw;
    private final LoadedPolicies.Loaded loaded;
    private final PolicyConfig config;
    private final int batch;
    private final List<String> present;
    private final List<String> cameras;
    private final Map<String, Component> components = new HashMap<>();
    private final List<ModelInput> inputs = new ArrayList<>();

    Run(GoldenCase entry, GoldenFile file, GoldenFile raw) {
      this.entry = entry;
      this.file = file;
      this.raw = raw;
      loaded = policies.policy(entry);
      config = loaded.policy().config();
      batch = entry.prompts().size();
      cameras = new ArrayList<>(config.cameras());
      for (int i = 0; i < config.emptyCameras(); i++) {
        cameras.add("empty_camera_" + i);
      }
      present =
          raw.names("raw.frame.").stream()
              .map(name -> loaded.processor().camera(name.substring("raw.frame.".length())))
              .toList();
    }

    Map<String, Component> compute() {
      List<Observation> observations = new ArrayList<>();
      List<Sample> samples = new ArrayList<>();
      Values noise = file.get("noise");
      for (int row = 0; row < batch; row++) {
        Observation observation = observation(row);
        ModelInput input = loaded.processor().prepare(observation);
        observations.add(observation);
        inputs.add(input);
        samples.add(new Sample(input, noise.row(row).floats(), guidance(row)));
      }
      Policy policy = loaded.policy();
      CaseRecorder recorder = new CaseRecorder(policy.device());
      loaded.observed().reset();
      List<float[]> x = policy.sample(samples, entry.steps(), recorder).x();
      ObservedDevice.Notes notes = loaded.observed().notes();
      Blank blank = new Blank(samples.getFirst());
      PrefixLayout layout =
          new PrefixLayout(
              inputs, cameras, present, blank.tokens, loaded.processor().promptLimit());
      CaseTensors tensors =
          new CaseTensors(
              layout,
              recorder,
              notes,
              batch,
              config.chunkSize(),
              config.type() == PolicyType.PI0 ? 1 : 0);
      host(observations, inputs, x);
      images(inputs, recorder, blank);
      network(tensors, recorder, blank);
      guided(tensors, samples);
      return components;
    }

    private Observation observation(int row) {
      Map<String, Frame> frames = new LinkedHashMap<>();
      for (String name : raw.names("raw.frame.")) {
        String camera = name.substring("raw.frame.".length());
        if (!entry.masks(loaded.processor().camera(camera), row)) {
          Values frame = raw.get(name).row(row);
          frames.put(camera, Frame.rgb(frame.dimension(1), frame.dimension(0), frame.bytes()));
        }
      }
      return new Observation(
          frames, raw.get("raw.state").row(row).floats(), entry.prompts().get(row));
    }

    private Guidance guidance(int row) {
      GoldenCase.RealTime realTime = entry.realTime();
      if (realTime == null || !file.has("previous")) {
        return null;
      }
      Values previous = file.get("previous");
      Values own = previous.shape().length == 3 ? previous.row(row) : previous;
      return new Guidance(
          own.floats(),
          own.dimension(0),
          own.dimension(1),
          realTime.delay(),
          realTime.executionHorizon() == null
              ? realTime.configuredExecutionHorizon()
              : realTime.executionHorizon(),
          Guidance.Schedule.valueOf(realTime.schedule()),
          (float) realTime.maxGuidanceWeight());
    }

    private void onHost(String name, Supplier<Values> values) {
      components.put(name, new Component(values, false, null));
    }

    private void onDevice(String name, Supplier<Values> values) {
      components.put(name, new Component(values, true, null));
    }

    /** What the processor makes of observations, and of the result. */
    private void host(List<Observation> observations, List<ModelInput> inputs, List<float[]> x) {
      int limit = loaded.processor().promptLimit();
      int[] tokens = new int[batch * limit];
      boolean[] mask = new boolean[batch * limit];
      for (int row = 0; row < batch; row++) {
        int[] ids = inputs.get(row).tokens();
        System.arraycopy(ids, 0, tokens, row * limit, ids.length);
        Arrays.fill(mask, row * limit, row * limit + ids.length, true);
      }
      onHost("tokens", () -> Values.of(tokens, batch, limit));
      onHost("token_mask", () -> Values.of(mask, batch, limit));
      onHost(
          "state.normalised",
          () ->
              stacked(
                  observations.stream()
                      .map(observation -> loaded.processor().normalisedState(observation.state()))
                      .toList(),
                  loaded.processor().stateDimensions()));
      onHost(
          "state.padded",
          () ->
              stacked(inputs.stream().map(ModelInput::state).toList(), config.maxStateDimension()));
      int dimensions = loaded.processor().actionDimensions();
      onDevice(
          "actions.normalised",
          () -> {
            List<float[]> cut = new ArrayList<>();
            for (float[] chunk : x) {
              float[] columns = new float[config.chunkSize() * dimensions];
              for (int i = 0; i < columns.length; i++) {
                columns[i] = chunk[i / dimensions * config.maxActionDimension() + i % dimensions];
              }
              cut.add(columns);
            }
            return stacked(cut, config.chunkSize(), dimensions);
          });
      onDevice(
          "actions",
          () -> {
            List<float[]> actions = new ArrayList<>();
            for (int row = 0; row < batch; row++) {
              actions.add(
                  loaded
                      .processor()
                      .actions(x.get(row), config.chunkSize(), observations.get(row).state()));
            }
            return stacked(actions, config.chunkSize(), dimensions);
          });
    }

    /** The cameras' pictures, masks and features. */
    private void images(List<ModelInput> inputs, CaseRecorder recorder, Blank blank) {
      int side = config.imageResolution();
      for (String camera : cameras) {
        boolean[] mask = new boolean[batch];
        List<float[]> pixels = new ArrayList<>();
        for (int row = 0; row < batch; row++) {
          float[] own =
              inputs.get(row).images().stream()
                  .filter(image -> image.camera().equals(camera))
                  .map(ModelInput.Image::pixels)
                  .findFirst()
                  .orElse(null);
          mask[row] = own != null;
          pixels.add(own == null ? blank.pixels : own);
        }
        onHost("image_mask." + camera, () -> Values.of(mask, batch));
        onHost("image." + camera, () -> stacked(pixels, 3, side, side));
        onDevice(
            "siglip." + camera,
            () -> {
              List<float[]> features = new ArrayList<>();
              CaseRecorder.Matrix left = blank.recorder.get("siglip." + blank.camera, 0);
              for (int row = 0; row < batch; row++) {
                features.add(
                    mask[row] ? recorder.get("siglip." + camera, row).values() : left.values());
              }
              return stacked(features, blank.tokens, left.columns());
            });
      }
    }

    /** What the network computes, layer by layer and step by step. */
    private void network(CaseTensors tensors, CaseRecorder recorder, Blank blank) {
      onDevice("prefix.embs", () -> tensors.prefixRows("prefix.embs", blank::prefixRow));
      onHost("prefix.pad_mask", tensors::prefixMask);
      onHost("prefix.positions", tensors::prefixPositions);
      int heads = loaded.policy().dimensions().language().heads().keyValue();
      int size = loaded.policy().dimensions().language().heads().size();
      boolean[] counts = tensors.keyValueCounts(heads, size);
      for (int i = 0; i < recorder.layers(); i++) {
        int layer = i;
        components.put(
            "kv.layer%d.k".formatted(layer),
            new Component(() -> tensors.keysOrValues(layer, true, heads, size), true, counts));
        components.put(
            "kv.layer%d.v".formatted(layer),
            new Component(() -> tensors.keysOrValues(layer, false, heads, size), true, counts));
        onDevice(
            "expert.layer%d.step0".formatted(layer),
            () ->
                tensors.suffixRows(
                    "expert.state.layer" + layer, "expert.layer%d.step0".formatted(layer)));
      }
      onHost("suffix.positions", tensors::suffixPositions);
      onHost("suffix.attention_mask", tensors::suffixMask);
      onDevice("suffix.embs.step0", () -> tensors.suffixRows("suffix.state", "suffix.embs.step0"));
      onDevice(
          "suffix.out.step0", () -> tensors.suffixRows("expert.state.out", "suffix.out.step0"));
      onHost("x.step0", () -> tensors.actionRows("x.step0"));
      for (int i = 0; i < entry.steps(); i++) {
        int step = i;
        onHost(
            "time.step" + step,
            () -> {
              float[] times = new float[batch];
              Arrays.fill(times, (float) Policy.time(step, entry.steps()));
              return Values.of(times, batch);
            });
        onHost("time_emb.step" + step, () -> tensors.shared("time_emb.step" + step));
        onDevice("adarms_cond.step" + step, () -> tensors.shared("adarms_cond.step" + step));
        onDevice("v.step" + step, () -> tensors.actionRows("v.step" + step));
        onDevice("x.step" + (step + 1), () -> tensors.actionRows("x.step" + (step + 1)));
      }
    }

    /** What real-time chunking does to the velocity. */
    private void guided(CaseTensors tensors, List<Sample> samples) {
      if (entry.realTime() == null) {
        return;
      }
      for (int i = 0; i < entry.steps(); i++) {
        int step = i;
        onDevice("v.model.step" + step, () -> tensors.actionRows("v.model.step" + step));
        onDevice("v.guided.step" + step, () -> tensors.actionRows("v.step" + step));
      }
      Guidance guidance = samples.getFirst().guidance();
      if (guidance == null) {
        return;
      }
      onHost("weights", () -> Values.of(guidance.weights(config.chunkSize()), config.chunkSize()));
      for (int i = 0; i < entry.steps(); i++) {
        int step = i;
        onHost(
            "guidance_weight.step" + step,
            () -> Values.of(new float[] {weight(guidance, step)}, 1));
        // The policy never has the error by itself: it is what guidance took off the velocity.
        Supplier<Values> error =
            () -> {
              Values model = tensors.actionRows("v.model.step" + step);
              Values guided = tensors.actionRows("v.step" + step);
              double[] values = new double[model.values().length];
              for (int j = 0; j < values.length; j++) {
                values[j] = (model.values()[j] - guided.values()[j]) / weight(guidance, step);
              }
              return Values.of(values, model.shape());
            };
        onDevice("error.step" + step, error);
        onDevice("correction.step" + step, error);
      }
    }

    private float weight(Guidance guidance, int step) {
      return Guidance.weight(Policy.time(step, entry.steps()), guidance.maxWeight());
    }

    private Values stacked(List<float[]> rows, int... shape) {
      int[] all = new int[shape.length + 1];
      all[0] = rows.size();
      System.arraycopy(shape, 0, all, 1, shape.length);
      int size = Values.size(shape);
      float[] values = new float[rows.size() * size];
      for (int row = 0; row < rows.size(); row++) {
        if (rows.get(row).length != size) {
          throw new IllegalStateException(
              "%d numbers, expected %s".formatted(rows.get(row).length, Arrays.toString(shape)));
        }
        System.arraycopy(rows.get(row), 0, values, row * size, size);
      }
      return Values.of(values, all);
    }

    /**
     * What LeRobot computes for cameras that are not there, and masks: features of a picture of −1,
     * and the embeddings of the prompt's padding. The policy leaves both out; here it is asked for
     * them on purpose.
     */
    private final class Blank {
      private final String camera = cameras.getFirst();
      private final float[] pixels;
      private final CaseRecorder recorder;
      private final int tokens;

      Blank(Sample like) {
        Policy policy = loaded.policy();
        pixels = new float[3 * config.imageResolution() * config.imageResolution()];
        Arrays.fill(pixels, -1);
        recorder = new CaseRecorder(policy.device());
        ModelInput input =
            new ModelInput(
                List.of(new ModelInput.Image(camera, pixels)),
                new int[] {PAD_TOKEN},
                like.input().state());
        policy.sample(List.of(new Sample(input, like.noise(), null)), 1, recorder);
        tokens = recorder.get("siglip." + camera, 0).rows();
      }

      /** A row of the padded prefix that the policy leaves out. */
      float[] prefixRow(int index) {
        CaseRecorder.Matrix rows = recorder.get("prefix.embs");
        int row = index < cameras.size() * tokens ? index % tokens : tokens;
        return Arrays.copyOfRange(rows.values(), row * rows.columns(), (row + 1) * rows.columns());
      }
    }
  }
}
