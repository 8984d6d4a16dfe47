package dev.pi0stream.model.processor;

import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.checkpoint.PolicyConfig;
import dev.pi0stream.model.checkpoint.PolicyType;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.image.FrameDecoder;
import dev.pi0stream.model.image.ImageException;
import dev.pi0stream.model.image.ResizeWithPad;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.text.Prompts;
import dev.pi0stream.model.text.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Turns observations into what a checkpoint's network reads, and what it gives into the robot's
 * actions, as the code base does that the checkpoint comes from. {@link #prepare} follows that code
 * base where it is lenient (too long a prompt is cut, cameras may be missing); what serves robots
 * asks {@link #refusal} first. Safe for use by many threads.
 */
public final class Processor {
  private final PolicyConfig config;
  private final Conventions conventions;
  private final int vocabulary;
  private final FrameDecoder decoder;

  /**
   * What a checkpoint's files say about the way in and out.
   *
   * @param renamed cameras' names as the robot has them → as the checkpoint has them
   * @param stateDimensions numbers of the robot's state
   * @param actionDimensions numbers of the robot's actions
   * @param singlePrecision whether actions are computed in float32, as torch does, or in float64,
   *     as numpy does
   */
  record Conventions(
      Map<String, String> renamed,
      ResizeWithPad resize,
      Prompts prompts,
      Normalizer state,
      Normalizer actions,
      RelativeActions relative,
      int stateDimensions,
      int actionDimensions,
      boolean singlePrecision) {}

  private Processor(
      PolicyConfig config, Conventions conventions, int vocabulary, FrameDecoder decoder) {
    this.config = Objects.requireNonNull(config, "config");
    this.conventions = conventions;
    this.vocabulary = vocabulary;
    this.decoder = Objects.requireNonNull(decoder, "decoder");
  }

  /**
   * Opens what lies beside a checkpoint's weights: {@code tokenizer.json}, and the processors'
   * files of LeRobot or {@code assets/<asset>/norm_stats.json} of openpi.
   *
   * @throws CheckpointException if a file is missing, broken or ambiguous, or lacks a statistic
   */
  public static Processor open(Checkpoint checkpoint) {
    return open(checkpoint.folder(), checkpoint);
  }

  /**
   * The same for other weights than the folder's.
   *
   * @param folder of the checkpoint
   * @param weights what computes: their configuration and vocabulary count
   */
  public static Processor open(Path folder, PolicyWeights weights) {
    return open(
        folder, weights.config(), weights.dimensions().vocabulary(), null, new FrameDecoder());
  }

  /**
   * The same, with a choice.
   *
   * @param asset the robot whose statistics count, where openpi's checkpoint has several; or null
   * @param decoder with the bounds of frames
   */
  public static Processor open(Checkpoint checkpoint, String asset, FrameDecoder decoder) {
    return open(
        checkpoint.folder(),
        checkpoint.config(),
        checkpoint.dimensions().vocabulary(),
        asset,
        decoder);
  }

  /**
   * The same, from the parts of a checkpoint that matter.
   *
   * @param vocabulary entries of the embedding table, which every token must be one of
   */
  static Processor open(
      Path folder, PolicyConfig config, int vocabulary, String asset, FrameDecoder decoder) {
    Conventions conventions =
        switch (config.origin()) {
          case LEROBOT -> LeRobotConventions.read(folder, config);
          case OPENPI -> OpenpiConventions.read(folder, config, asset);
        };
    int entries = conventions.prompts().tokenizer().vocabularySize();
    if (entries > vocabulary) {
      throw new CheckpointException(
          "%s: the tokenizer has %d entries; expected at most %d, the rows of the embedding table"
              .formatted(folder, entries, vocabulary));
    }
    return new Processor(config, conventions, vocabulary, decoder);
  }

  // ------------------------------------------------------------------ what it takes

  /** The checkpoint's cameras, in its order. */
  public List<String> cameras() {
    return config.cameras();
  }

  /** The checkpoint's name of a camera that a robot names; unknown names stay. */
  public String camera(String name) {
    return conventions.renamed().getOrDefault(name, name);
  }

  /** Cameras' names as the robot has them → as the checkpoint has them, where they differ. */
  public Map<String, String> renamedCameras() {
    return conventions.renamed();
  }

  /** How states are brought to the network's range. */
  public Normalizer stateNormalizer() {
    return conventions.state();
  }

  /** How actions are brought back to the robot's range. */
  public Normalizer actionNormalizer() {
    return conventions.actions();
  }

  /** Which columns of the actions are relative to the state. */
  public RelativeActions relativeActions() {
    return conventions.relative();
  }

  /** The tokenizer. */
  public Tokenizer tokenizer() {
    return conventions.prompts().tokenizer();
  }

  /** Numbers of the robot's state. */
  public int stateDimensions() {
    return conventions.stateDimensions();
  }

  /** Numbers of the robot's actions. */
  public int actionDimensions() {
    return conventions.actionDimensions();
  }

  /** The most tokens of a prompt. */
  public int promptLimit() {
    return conventions.prompts().limit();
  }

  /**
   * The tokens of an observation's prompt, all of them; π0.5's has the state in it.
   *
   * @throws ObservationException if the state has another length, or there is no instruction, or it
   *     has half a surrogate pair
   */
  public Prompts.Prompt prompt(Observation observation) {
    double[] state = conventions.state().normalise(state(observation), stateDimensions());
    return prompt(observation, state);
  }

  private Prompts.Prompt prompt(Observation observation, double[] normalised) {
    if (observation.prompt() == null) {
      throw new ObservationException("there is no prompt: expected an instruction");
    }
    Prompts.Prompt prompt;
    try {
      prompt = conventions.prompts().prompt(observation.prompt(), normalised);
    } catch (IllegalArgumentException e) {
      throw new ObservationException("prompt: " + e.getMessage(), e);
    }
    for (int id : prompt.tokens()) {
      if (id >= vocabulary) { // PaliGemma's <image> lies beyond its own table
        throw new ObservationException(
            "the prompt has token %d: expected less than %d, the rows of the embedding table"
                .formatted(id, vocabulary));
      }
    }
    return prompt;
  }

  /**
   * Why a robot should not be served with this observation, though the network would compute
   * something: an unknown camera, none at all, a state of another length or with a number that is
   * not finite, no prompt, or one that would be cut. Frames are not decoded for it.
   */
  public Optional<String> refusal(Observation observation) {
    try {
      frames(observation);
      double[] state = state(observation);
      for (int i = 0; i < state.length; i++) {
        if (!Double.isFinite(state[i])) {
          return Optional.of(
              "number %d of the state is %s: expected finite numbers".formatted(i, state[i]));
        }
      }
      Prompts.Prompt prompt = prompt(observation);
      if (!prompt.fits()) {
        return Optional.of(
            "the prompt has %d tokens: expected at most %d"
                .formatted(prompt.tokens().length, prompt.limit()));
      }
      return Optional.empty();
    } catch (ObservationException e) {
      return Optional.of(e.getMessage());
    }
  }

  // ------------------------------------------------------------------ the way in

  /**
   * What the network reads.
   *
   * @throws ObservationException if a camera is unknown, there is none at all, a frame is broken,
   *     or the state has another length
   */
  public ModelInput prepare(Observation observation) {
    double[] normalised = conventions.state().normalise(state(observation), stateDimensions());
    Map<String, Frame> frames = frames(observation);
    List<ModelInput.Image> images = new ArrayList<>();
    for (String camera : cameras()) {
      if (frames.containsKey(camera)) {
        images.add(image(camera, frames.get(camera)));
      }
    }
    return new ModelInput(
        List.copyOf(images),
        prompt(observation, normalised).cut(),
        config.type() == PolicyType.PI0 ? padded(normalised) : new float[0]);
  }

  /**
   * A frame as the network reads it.
   *
   * @param camera the checkpoint's name of the camera
   * @throws ObservationException if the frame is broken
   */
  public ModelInput.Image image(String camera, Frame frame) {
    int side = config.imageResolution();
    try {
      return new ModelInput.Image(
          camera, conventions.resize().pixels(decoder.decode(frame), side, side));
    } catch (ImageException e) {
      throw new ObservationException("camera %s: %s".formatted(camera, e.getMessage()), e);
    }
  }

  /**
   * A robot's state in the network's units, without padding.
   *
   * @throws ObservationException if it has another length
   */
  public float[] normalisedState(float[] state) {
    return narrowed(conventions.state().normalise(checked(state), stateDimensions()));
  }

  private float[] padded(double[] normalised) {
    return Arrays.copyOf(narrowed(normalised), config.maxStateDimension());
  }

  private double[] state(Observation observation) {
    return checked(observation.state());
  }

  private double[] checked(float[] state) {
    if (state.length != stateDimensions()) {
      throw new ObservationException(
          "the state has %d numbers: expected %d".formatted(state.length, stateDimensions()));
    }
    return widened(state);
  }

  /** The frames by the checkpoint's names. */
  private Map<String, Frame> frames(Observation observation) {
    Map<String, Frame> frames = new LinkedHashMap<>();
    observation
        .frames()
        .forEach(
            (name, frame) -> {
              String camera = camera(name);
              if (!cameras().contains(camera)) {
                throw new ObservationException(
                    "there is no camera '%s': expected one of %s".formatted(camera, cameras()));
              }
              if (frames.put(camera, frame) != null) {
                throw new ObservationException(
                    "two frames are of camera '%s': expected one".formatted(camera));
              }
            });
    if (frames.isEmpty()) {
      throw new ObservationException(
          "there is no frame of any camera: expected one of %s".formatted(cameras()));
    }
    return frames;
  }

  // ------------------------------------------------------------------ the way out

  /**
   * Actions in the robot's units.
   *
   * @param x what the network gave: horizon × its columns, step after step
   * @param state the raw state of the same observation, which relative actions are added to
   * @return horizon × {@link #actionDimensions()}, step after step
   */
  public float[] actions(float[] x, int horizon, float[] state) {
    int columns = horizon < 1 ? 0 : x.length / horizon;
    if (columns < actionDimensions() || columns * horizon != x.length) {
      throw new IllegalArgumentException(
          "%d numbers for %d actions: expected at least %d for each"
              .formatted(x.length, horizon, actionDimensions()));
    }
    double[] cut = new double[horizon * actionDimensions()];
    for (int i = 0; i < cut.length; i++) {
      cut[i] = x[i / actionDimensions() * columns + i % actionDimensions()];
    }
    double[] robot = conventions.actions().unnormalise(cut, actionDimensions());
    if (conventions.singlePrecision()) {
      float[] actions = narrowed(robot);
      conventions.relative().addState(actions, actionDimensions(), state);
      return actions;
    }
    conventions.relative().addState(robot, actionDimensions(), widened(state));
    return narrowed(robot);
  }

  /**
   * Actions in the network's units: {@link #actions} undone, but for the columns that a robot does
   * not have.
   *
   * @param actions rows × {@link #actionDimensions()} in the robot's units
   * @param state the raw state that relative actions are relative to
   * @return as many numbers
   */
  public float[] modelActions(float[] actions, float[] state) {
    double[] relative = widened(actions);
    conventions.relative().subtractState(relative, actionDimensions(), widened(state));
    return narrowed(conventions.actions().normalise(relative, actionDimensions()));
  }

  private static double[] widened(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  private static float[] narrowed(double[] values) {
    float[] narrow = new float[values.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) values[i];
    }
    return narrow;
  }
}
