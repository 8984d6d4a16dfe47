package dev.pi0stream.model.image;

import java.util.Objects;

/**
 * A decoded picture.
 *
 * @param data height × width × 3 bytes: rows of pixels of red, green and blue, without gaps
 */
public record RgbImage(int width, int height, byte[] data) {
  /** Bytes of a pixel. */
  static final int CHANNELS = 3;

  public RgbImage {
    Objects.requireNonNull(data, "data");
    if (width < 1 || height < 1) {
      throw new IllegalArgumentException(
          "image of %d×%d pixels: expected at least 1×1".formatted(width, height));
    }
    if (data.length != (long) width * height * CHANNELS) {
      throw new IllegalArgumentException(
          "image of %d×%d pixels has %d bytes: expected %d"
              .formatted(width, height, data.length, (long) width * height * CHANNELS));
    }
  }
}
