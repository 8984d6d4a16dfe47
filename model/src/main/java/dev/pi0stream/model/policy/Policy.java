package dev.pi0stream.model.policy;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Images;
import dev.pi0stream.device.Indices;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Packed;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Stage;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.model.checkpoint.Dimensions;
import dev.pi0stream.model.checkpoint.PolicyConfig;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * A π0 or π0.5 policy on a device: pictures, prompt and state in, a chunk of actions out, for
 * several robots at a time. The robots of a batch may have different cameras and prompts; each
 * one's result is what it would be alone.
 *
 * <p>Its three steps, {@link #see}, {@link #prefix} and {@link #denoise}, take and return values on
 * the device, so that what did not change since a robot's last observation need not be computed
 * again; {@link #sample} composes them. Everything is called on the device's thread. {@code
 * denoise} and {@code sample} are called outside of any {@link Scope}: they keep constants for the
 * next time, which would be freed with a scope around them.
 */
public final class Policy implements AutoCloseable {
  private final Device device;
  private final PolicyConfig config;
  private final Dimensions dimensions;
  private final VisionTower vision;
  private final Linear projector; // vision width → backbone width
  private final Backbone backbone;
  private final ActionExpert expert;
  private final Suffix suffix;
  private final Denoiser denoiser;

  private Policy(Device device, PolicyWeights checkpoint) {
    this.device = device;
    this.config = checkpoint.config();
    this.dimensions = checkpoint.dimensions();
    this.vision =
        VisionTower.load(
            device,
            checkpoint.vision(),
            dimensions.vision(),
            config.imageResolution(),
            dimensions.layerNormEpsilon());
    int width = dimensions.language().width();
    this.projector =
        device.linear(
            checkpoint.projector().matrix("weight", width, dimensions.vision().width()),
            checkpoint.projector().vector("bias", width));
    this.backbone =
        Backbone.load(device, checkpoint.language(), checkpoint.embedding(), dimensions);
    this.expert = ActionExpert.load(device, checkpoint.expert(), dimensions);
    this.suffix = Suffix.load(device, checkpoint);
    this.denoiser = Denoiser.load(device, checkpoint, expert, suffix);
  }

  /**
   * Gives a checkpoint's weights to a device, outside of any {@link Scope}. The checkpoint may be
   * closed afterwards.
   */
  public static Policy load(PolicyWeights checkpoint, Device device) {
    return new Policy(device, checkpoint);
  }

  /** The checkpoint's configuration. */
  public PolicyConfig config() {
    return config;
  }

  /** The checkpoint's sizes. */
  public Dimensions dimensions() {
    return dimensions;
  }

  /** The device that it runs on. */
  public Device device() {
    return device;
  }

  /** The time of a denoising step, from 1 (noise) towards 0 (data). */
  public static double time(int step, int steps) {
    return Denoiser.time(step, steps);
  }

  /** Numbers of a state, padded; 0 where the state is in the prompt. */
  public int stateNumbers() {
    return suffix.stateColumns();
  }

  /** Numbers of a chunk in model units: horizon × action columns. */
  public int chunkNumbers() {
    return config.chunkSize() * config.maxActionDimension();
  }

  /**
   * What a robot's prefix is made of.
   *
   * @param images features of its cameras, each from {@link #see}, in the checkpoint's order
   * @param tokens ids of its prompt
   */
  public record PrefixInput(List<Device.Rows> images, int[] tokens) {
    public PrefixInput {
      images = List.copyOf(images);
    }
  }

  /**
   * What {@link #sample} gives.
   *
   * @param x for each row of the batch, horizon × action columns in model units, step after step
   * @param vision time of {@link #see}
   * @param prefix time of {@link #prefix}
   * @param denoise time of {@link #denoise}
   */
  public record Chunks(List<float[]> x, Duration vision, Duration prefix, Duration denoise) {}

  /**
   * Computes the features of pictures, of whatever robot and camera, in one batch.
   *
   * @param images at least one
   * @return for each image its rows, tokens × backbone width, of one tensor that is the caller's
   */
  public List<Device.Rows> see(List<ModelInput.Image> images) {
    return see(images, FeatureProbe.NONE);
  }

  /** Sees what the vision tower made of an image, before the projector. */
  @FunctionalInterface
  private interface FeatureProbe {
    /** Sees nothing. */
    FeatureProbe NONE = (_, _) -> {};

    void see(int image, Tensor features);
  }

  /** A stage that somebody watches is not recorded, since watching downloads. */
  private static <R extends Packed> R run(
      Stage stage, boolean watched, Sequences sequences, Supplier<R> body) {
    return watched ? stage.runUnrecorded(sequences, body) : stage.run(sequences, body);
  }

  private List<Device.Rows> see(List<ModelInput.Image> images, FeatureProbe probe) {
    int side = vision.side();
    int numbers = 3 * side * side;
    float[] pixels = new float[Math.multiplyExact(images.size(), numbers)];
    for (int i = 0; i < images.size(); i++) {
      ModelInput.Image image = images.get(i);
      if (image.pixels().length != numbers) {
        throw new IllegalArgumentException(
            "image of camera '%s' has %d numbers; expected 3 × %d × %d"
                .formatted(image.camera(), image.pixels().length, side, side));
      }
      System.arraycopy(image.pixels(), 0, pixels, i * numbers, numbers);
    }
    int tokens = vision.tokens();
    try (Stage stage = device.stage("vision", this)) {
      Images pictures = device.images(pixels, images.size(), side);
      Mask mask = vision.mask(images.size());
      Tensor projected =
          run(
              stage,
              !probe.equals(FeatureProbe.NONE),
              mask.sequences(),
              () -> {
                Tensor features = vision.forward(pictures, mask);
                for (int i = 0; i < images.size(); i++) {
                  probe.see(i, features);
                }
                return device.linear(features, projector);
              });
      return IntStream.range(0, images.size())
          .mapToObj(i -> new Device.Rows(projected, i * tokens, tokens))
          .toList();
    }
  }

  /**
   * Reads the prefixes of some robots: their cameras' features, then their prompts' tokens.
   *
   * @return one sequence of keys and values for each robot
   */
  public KeyValues prefix(List<PrefixInput> robots) {
    return prefix(robots, Probe.NONE);
  }

  private KeyValues prefix(List<PrefixInput> robots, Probe probe) {
    int[] numbers = robots.stream().flatMapToInt(robot -> IntStream.of(robot.tokens)).toArray();
    int[] prompts = new int[robots.size()];
    int[] lengths = new int[robots.size()];
    List<Integer> cameras = new ArrayList<>();
    for (int i = 0; i < lengths.length; i++) {
      PrefixInput robot = robots.get(i);
      if (robot.images.isEmpty()) {
        throw new IllegalArgumentException("row " + i + " has no camera; expected at least one");
      }
      cameras.add(robot.images.size());
      prompts[i] = robot.tokens.length;
      lengths[i] = prompts[i] + robot.images.stream().mapToInt(Device.Rows::count).sum();
    }
    Sequences prefixes = Sequences.of(lengths);
    try (Stage stage = device.stage("prefix", this, cameras)) {
      Indices ids = device.indices(numbers, Sequences.of(prompts));
      AttentionPlan plan = backbone.plan(prefixes);
      List<List<Device.Rows>> images =
          robots.stream().map(robot -> robot.images.stream().map(stage::take).toList()).toList();
      return run(
          stage,
          !probe.equals(Probe.NONE),
          prefixes,
          () -> {
            Tensor rows = device.rows(behindEach(images, backbone.embed(ids)));
            probe.see("prefix.embs", Probe.ALL_ROWS, rows);
            return backbone.forward(rows, plan);
          });
    }
  }

  /** The images of each robot, and behind them the rows of its prompt. */
  private static List<List<Device.Rows>> behindEach(
      List<List<Device.Rows>> images, Tensor prompts) {
    Sequences sequences = prompts.sequences();
    List<List<Device.Rows>> parts = new ArrayList<>();
    for (int i = 0; i < images.size(); i++) {
      List<Device.Rows> robot = new ArrayList<>(images.get(i));
      robot.add(new Device.Rows(prompts, sequences.start(i), sequences.length(i)));
      parts.add(robot);
    }
    return parts;
  }

  /**
   * Denoises the chunks of some robots.
   *
   * @param prefixes each robot's keys and values, of {@link #prefix}
   * @param batch each robot's state, noise and guidance; its images and tokens are not looked at
   * @param steps of Euler's method
   * @return for each robot, horizon × action columns in model units
   */
  public List<float[]> denoise(List<Device.Part> prefixes, List<Sample> batch, int steps) {
    return denoise(prefixes, batch, steps, Probe.NONE);
  }

  private List<float[]> denoise(
      List<Device.Part> prefixes, List<Sample> batch, int steps, Probe probe) {
    if (prefixes.size() != batch.size()) {
      throw new IllegalArgumentException(
          "%d prefixes for %d rows".formatted(prefixes.size(), batch.size()));
    }
    check(batch);
    List<Suffix.Step> constants = denoiser.steps(steps);
    int robots = batch.size();
    int numbers = chunkNumbers();
    float[] noise = new float[Math.multiplyExact(robots, numbers)];
    int[] lengths = new int[robots];
    int[] contexts = new int[robots];
    for (int i = 0; i < robots; i++) {
      System.arraycopy(batch.get(i).noise(), 0, noise, i * numbers, numbers);
      Device.Part prefix = prefixes.get(i);
      lengths[i] = prefix.source().sequences().length(prefix.sequence());
      contexts[i] = lengths[i] + suffix.leadingRows();
    }
    List<float[]> states = batch.stream().map(sample -> sample.input().state()).toList();
    List<Guidance> guidance = new ArrayList<>();
    batch.forEach(sample -> guidance.add(sample.guidance()));
    try (Scope _ = device.scope();
        Stage stage = device.stage("denoise", this, steps, Guidance.maxWeights(guidance))) {
      List<Device.Part> own = prefixes.stream().map(stage::take).toList();
      Optional<Suffix.Leading> leading = suffix.leading(Sequences.of(lengths), states, expert);
      Denoiser.Start start = denoiser.start(noise, Sequences.of(contexts), guidance);
      Tensor x =
          run(
              stage,
              !probe.equals(Probe.NONE),
              start.noise().sequences(),
              () -> {
                KeyValues context = suffix.context(own, leading, expert, probe);
                return denoiser.denoise(start, context, constants, probe);
              });
      float[] all = device.download(x);
      return IntStream.range(0, robots)
          .mapToObj(i -> Arrays.copyOfRange(all, i * numbers, (i + 1) * numbers))
          .toList();
    }
  }

  /**
   * The whole way from pictures to chunks.
   *
   * @param batch at least one row; each has at least one camera
   * @param steps of Euler's method
   * @param probe sees the values on the way
   * @throws IllegalArgumentException if a row is not what the checkpoint expects
   */
  public Chunks sample(List<Sample> batch, int steps, Probe probe) {
    if (batch.isEmpty()) {
      throw new IllegalArgumentException("an empty batch; expected at least one row");
    }
    check(batch);
    denoiser.steps(steps);
    List<ModelInput.Image> images = new ArrayList<>();
    List<Integer> owners = new ArrayList<>();
    for (int row = 0; row < batch.size(); row++) {
      for (ModelInput.Image image : batch.get(row).input().images()) {
        images.add(image);
        owners.add(row);
      }
    }
    FeatureProbe features =
        probe.equals(Probe.NONE)
            ? FeatureProbe.NONE
            : (image, rows) -> show(probe, images.get(image), owners.get(image), image, rows);
    try (Scope _ = device.scope()) {
      long begun = System.nanoTime();
      List<Device.Rows> seen = see(images, features);
      device.synchronize();
      long saw = System.nanoTime();
      List<PrefixInput> robots = new ArrayList<>();
      int next = 0;
      for (Sample sample : batch) {
        int cameras = sample.input().images().size();
        robots.add(new PrefixInput(seen.subList(next, next + cameras), sample.input().tokens()));
        next += cameras;
      }
      KeyValues prefix = prefix(robots, probe);
      probe.seePrefix(prefix);
      device.synchronize();
      long read = System.nanoTime();
      List<Device.Part> parts =
          IntStream.range(0, batch.size()).mapToObj(i -> new Device.Part(prefix, i)).toList();
      List<float[]> x = denoise(parts, batch, steps, probe);
      long done = System.nanoTime();
      return new Chunks(
          x,
          Duration.ofNanos(saw - begun),
          Duration.ofNanos(read - saw),
          Duration.ofNanos(done - read));
    }
  }

  /** {@link #sample(List, int, Probe)} with nobody watching. */
  public Chunks sample(List<Sample> batch, int steps) {
    return sample(batch, steps, Probe.NONE);
  }

  private void show(Probe probe, ModelInput.Image image, int row, int index, Tensor features) {
    int tokens = vision.tokens();
    Tensor own = device.rows(List.of(List.of(new Device.Rows(features, index * tokens, tokens))));
    probe.see("siglip." + image.camera(), row, own);
  }

  private void check(List<Sample> batch) {
    for (int row = 0; row < batch.size(); row++) {
      Sample sample = batch.get(row);
      if (sample.input().images().isEmpty()) {
        throw new IllegalArgumentException("row " + row + " has no camera; expected at least one");
      }
      for (int id : sample.input().tokens()) {
        if (id < 0 || id >= backbone.vocabulary()) {
          throw new IllegalArgumentException(
              "row %d has token %d; expected one from 0 to %d"
                  .formatted(row, id, backbone.vocabulary() - 1));
        }
      }
      check(row, "state", sample.input().state().length, suffix.stateColumns());
      check(row, "noise", sample.noise().length, chunkNumbers());
      Guidance guidance = sample.guidance();
      if (guidance != null
          && (guidance.previousRows() > config.chunkSize()
              || guidance.previousColumns() > config.maxActionDimension())) {
        throw new IllegalArgumentException(
            "row %d has a leftover of %d × %d; expected at most %d × %d"
                .formatted(
                    row,
                    guidance.previousRows(),
                    guidance.previousColumns(),
                    config.chunkSize(),
                    config.maxActionDimension()));
      }
    }
  }

  private static void check(int row, String what, int found, int expected) {
    if (found != expected) {
      throw new IllegalArgumentException(
          "row %d has %d numbers of %s; expected %d".formatted(row, found, what, expected));
    }
  }

  /** Frees the weights. */
  @Override
  public void close() {
    vision.close();
    projector.close();
    backbone.close();
    expert.close();
    suffix.close();
    denoiser.close();
  }
}
