package dev.pi0stream.model.engine;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.reference.ReferenceDevice;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.SafetensorsWriter;
import dev.pi0stream.model.checkpoint.StoredTensor;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.model.processor.Processor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A golden observation of a checkpoint: frames, state, prompt and noise, and the chunk that the
 * {@code reference} device makes of them. It lies beside the weights; before an engine serves, it
 * computes the chunk anew on its own device and compares. What it finds is what makes a policy
 * silently useless: a back end that rounds wrongly, statistics, a tokenizer or a configuration that
 * were exchanged, weights that are another policy's.
 *
 * <p>The file holds {@code frame.<camera>} (height × width × 3 bytes), {@code state}, {@code noise}
 * and {@code x} (horizon × the model's action columns), {@code actions} (horizon × the robot's),
 * and in its metadata the prompt and the checkpoint's digest.
 */
public final class SelfTest {
  /** The name of the file in a checkpoint's folder. */
  public static final String FILE = "golden.safetensors";

  private static final String PROMPT = "pick up the red block and put it into the box";
  private static final ObservationId ID = new ObservationId("golden", "golden", 0);
  private static final int FRAME_WIDTH = 160;
  private static final int FRAME_HEIGHT = 120;
  private static final String PROMPT_KEY = "prompt";
  private static final String CHECKPOINT_KEY = "checkpoint";

  /** The rms error of x, in proportion to its rms, that a precision may have. */
  private static final double FP32_ERROR = 1e-3;

  private static final double BF16_ERROR = 0.05;

  /** What the postprocessing, which no device computes, may differ by, in proportion. */
  private static final double ACTIONS_ERROR = 1e-5;

  private final Path file;
  private final Observation observation;
  private final String checkpointDigest;
  private final float[] noise;
  private final float[] x;
  private final float[] actions;

  private SelfTest(
      Path file,
      Observation observation,
      String checkpointDigest,
      float[] noise,
      float[] x,
      float[] actions) {
    this.file = file;
    this.observation = observation;
    this.checkpointDigest = checkpointDigest;
    this.noise = noise;
    this.x = x;
    this.actions = actions;
  }

  // ------------------------------------------------------------------ writing

  /**
   * Makes up an observation that fits a checkpoint, computes its chunk on the {@code reference}
   * device and writes both beside the checkpoint's weights.
   *
   * @return the file
   */
  public static Path write(Checkpoint checkpoint) {
    Path file = checkpoint.folder().resolve(FILE);
    Processor processor = Processor.open(checkpoint);
    Observation observation = observation(processor, 0);
    try (Device device = new ReferenceDevice();
        Policy policy = Policy.load(checkpoint, device)) {
      float[] noise = new IdentityNoise(0).draw(ID, policy.chunkNumbers());
      float[] x = chunk(policy, processor, observation, noise);
      int horizon = policy.config().chunkSize();
      float[] actions = processor.actions(x, horizon, observation.state());
      int columns = policy.config().maxActionDimension();
      SafetensorsWriter writer =
          new SafetensorsWriter()
              .metadata(PROMPT_KEY, observation.prompt())
              .metadata(CHECKPOINT_KEY, checkpoint.id())
              .floats("state", observation.state(), observation.state().length)
              .floats("noise", noise, horizon, columns)
              .floats("x", x, horizon, columns)
              .floats("actions", actions, horizon, processor.actionDimensions());
      observation
          .frames()
          .forEach(
              (camera, frame) ->
                  writer.bytes("frame." + camera, frame.data(), frame.height(), frame.width(), 3));
      writer.write(file);
      return file;
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be written: %s".formatted(file, e.getMessage()), e);
    }
  }

  /**
   * An observation that fits a checkpoint.
   *
   * @param first number of the first camera's picture; each number is another picture
   */
  static Observation observation(Processor processor, int first) {
    Map<String, Frame> frames = new LinkedHashMap<>();
    for (String camera : processor.cameras()) {
      frames.put(camera, frame(first + frames.size()));
    }
    return new Observation(frames, state(processor), PROMPT);
  }

  /** Waves of three colours, which no two cameras share, and some noise. */
  private static Frame frame(int camera) {
    SplittableRandom random = new SplittableRandom(camera);
    double across = random.nextDouble(0.03, 0.12);
    double down = random.nextDouble(0.03, 0.12);
    byte[] pixels = new byte[FRAME_WIDTH * FRAME_HEIGHT * 3];
    for (int i = 0; i < pixels.length; i++) {
      int column = i / 3 % FRAME_WIDTH;
      int row = i / 3 / FRAME_WIDTH;
      double wave = StrictMath.sin(across * column + down * row * (1 + i % 3) + camera);
      pixels[i] = (byte) (127.5 + 100 * wave + random.nextInt(-20, 21));
    }
    return Frame.rgb(FRAME_WIDTH, FRAME_HEIGHT, pixels);
  }

  /** A state whose normalised numbers lie within ±0.9: normalisation is linear in each of them. */
  private static float[] state(Processor processor) {
    int dimensions = processor.stateDimensions();
    float[] ones = new float[dimensions];
    Arrays.fill(ones, 1);
    float[] atZero = processor.normalisedState(new float[dimensions]);
    float[] atOne = processor.normalisedState(ones);
    SplittableRandom random = new SplittableRandom(dimensions);
    float[] state = new float[dimensions];
    for (int i = 0; i < dimensions; i++) {
      double wanted = random.nextDouble(-0.9, 0.9);
      double slope = (double) atOne[i] - atZero[i];
      state[i] = slope == 0 ? 0 : (float) ((wanted - atZero[i]) / slope);
    }
    return state;
  }

  private static float[] chunk(
      Policy policy, Processor processor, Observation observation, float[] noise) {
    Sample sample = new Sample(processor.prepare(observation), noise, null);
    return policy.sample(List.of(sample), policy.config().inferenceSteps()).x().getFirst();
  }

  // ------------------------------------------------------------------ checking

  /**
   * Reads a golden observation.
   *
   * @throws CheckpointException if it is broken
   */
  public static SelfTest read(Path file) {
    try (Safetensors tensors = Safetensors.open(file)) {
      Map<String, Frame> frames = new LinkedHashMap<>();
      for (StoredTensor tensor : tensors.all()) {
        if (tensor.name().startsWith("frame.")) {
          frames.put(tensor.name().substring("frame.".length()), frame(tensor));
        }
      }
      return new SelfTest(
          file,
          new Observation(frames, tensors.get("state").floats(), metadata(tensors, PROMPT_KEY)),
          metadata(tensors, CHECKPOINT_KEY),
          tensors.get("noise").floats(),
          tensors.get("x").floats(),
          tensors.get("actions").floats());
    }
  }

  private static Frame frame(StoredTensor tensor) {
    if (tensor.shape().size() != 3 || tensor.shape().get(2) != 3) {
      throw new CheckpointException(
          "%s: tensor '%s' has shape %s; expected height × width × 3"
              .formatted(tensor.file(), tensor.name(), tensor.shapeText()));
    }
    return Frame.rgb(tensor.shape().get(1), tensor.shape().get(0), tensor.bytes());
  }

  private static String metadata(Safetensors tensors, String key) {
    String value = tensors.metadata().get(key);
    if (value == null) {
      throw new CheckpointException(
          "%s: its metadata has no '%s'; expected a golden observation"
              .formatted(tensors.place(), key));
    }
    return value;
  }

  /**
   * Computes the chunk anew and compares. Called on the device's thread.
   *
   * @param digest {@link Checkpoint#id()} of the policy's checkpoint
   * @throws CheckpointException if the policy is not the one that the golden observation is of, or
   *     computes something else
   */
  public void check(Policy policy, Processor processor, String digest) {
    if (!digest.equals(checkpointDigest)) {
      throw new CheckpointException(
          "%s: is of a checkpoint with digest %s, not of this one with %s; write it anew"
              .formatted(file, checkpointDigest, digest));
    }
    if (noise.length != policy.chunkNumbers() || x.length != noise.length) {
      throw new CheckpointException(
          "%s: has %d numbers of noise and %d of x; expected %d"
              .formatted(file, noise.length, x.length, policy.chunkNumbers()));
    }
    double allowed = policy.device().precision() == Precision.FP32 ? FP32_ERROR : BF16_ERROR;
    float[] computed;
    float[] robot;
    try {
      computed = chunk(policy, processor, observation, noise);
      robot = processor.actions(x, policy.config().chunkSize(), observation.state());
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(
          "%s: does not fit this policy: %s".formatted(file, e.getMessage()), e);
    }
    compare("x", computed, x, allowed);
    compare("actions", robot, actions, ACTIONS_ERROR);
  }

  private void compare(String what, float[] computed, float[] expected, double allowed) {
    if (computed.length != expected.length) {
      throw new CheckpointException(
          "%s: %s has %d numbers here, %d in the file"
              .formatted(file, what, computed.length, expected.length));
    }
    double errors = 0;
    double squares = 0;
    for (int i = 0; i < expected.length; i++) {
      double error = (double) computed[i] - expected[i];
      errors += error * error;
      squares += (double) expected[i] * expected[i];
    }
    double ratio = Math.sqrt(errors / squares);
    // Written so that NaN is refused, too.
    if (errors != 0 && !(ratio <= allowed)) {
      throw new CheckpointException(
          "%s: %s differs by %.3g of its rms, at most %.3g is allowed: this engine would not serve"
                  .formatted(file, what, ratio, allowed)
              + " the policy that it was given");
    }
  }
}
