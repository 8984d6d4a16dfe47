package dev.pi0stream.job.verify;

import dev.pi0stream.model.image.ResizeWithPad;
import dev.pi0stream.model.image.RgbImage;

/** Resizing with padding in the conventions of LeRobot and openpi. */
final class ImageOperations {
  private static final int CHANNELS = 3;

  private final Golden golden;
  private final GoldenFile file;

  ImageOperations(Golden golden, GoldenFile file) {
    this.golden = golden;
    this.file = file;
  }

  /** LeRobot's: {@code out.float.*} in [0, 1] and {@code out.uint8.*}, batches of height first. */
  void leRobot(OperationOutputs outputs) {
    for (String name : file.names("in.")) {
      String key = name.substring("in.".length());
      Values frames = file.get(name);
      outputs.host("float." + key, () -> unitPixels(frames, file.get("out.float." + key).shape()));
      outputs.pixels(
          "uint8." + key,
          () -> bytes(ResizeWithPad.LEROBOT, frames, file.get("out.uint8." + key).shape()),
          1);
    }
  }

  /** openpi's: Pillow's on the robot, JAX's in the model. */
  void openpi(ResizeWithPad convention, OperationOutputs outputs) {
    for (String name : file.names("out.")) {
      String key = name.substring("out.".length());
      outputs.pixels(key, () -> bytes(convention, input("in." + key), file.get(name).shape()));
    }
  }

  /** The frame of this file, or of the file of the section that has it. */
  private Values input(String name) {
    if (file.has(name)) {
      return file.get(name);
    }
    for (Golden.Operation other : golden.preprocess()) {
      try (GoldenFile source = GoldenFile.open(golden, other.file())) {
        if (source.has(name)) {
          return source.get(name);
        }
      }
    }
    throw new GoldenException("%s: no file has its input '%s'".formatted(file.name(), name));
  }

  private static Values bytes(ResizeWithPad convention, Values frames, int[] shape) {
    int height = shape[shape.length - 3];
    int width = shape[shape.length - 2];
    byte[] out = new byte[Values.size(shape)];
    int size = height * width * CHANNELS;
    for (int row = 0; row < out.length / size; row++) {
      byte[] resized = convention.resize(image(frames, row), width, height).data();
      System.arraycopy(resized, 0, out, row * size, size);
    }
    return Values.of(out, shape);
  }

  /** From channel-first pixels in [−1, 1] back to channel-last ones in [0, 1]. */
  private static Values unitPixels(Values frames, int[] shape) {
    int height = shape[shape.length - 3];
    int width = shape[shape.length - 2];
    int plane = height * width;
    double[] out = new double[Values.size(shape)];
    for (int row = 0; row < out.length / (plane * CHANNELS); row++) {
      float[] pixels = ResizeWithPad.LEROBOT.pixels(image(frames, row), width, height);
      for (int pixel = 0; pixel < plane; pixel++) {
        for (int channel = 0; channel < CHANNELS; channel++) {
          out[(row * plane + pixel) * CHANNELS + channel] =
              (pixels[channel * plane + pixel] + 1.0) / 2;
        }
      }
    }
    return Values.of(out, shape);
  }

  private static RgbImage image(Values frames, int row) {
    int[] shape = frames.shape();
    int height = shape[shape.length - 3];
    int width = shape[shape.length - 2];
    Values one = shape.length == 4 ? frames.row(row) : frames;
    return new RgbImage(width, height, one.bytes());
  }
}
