package dev.pi0stream.model.image;

import java.util.Objects;

/**
 * Fits a picture into a frame of another size: scaled until its longer side fits, centred, black
 * around it. What differs between the code bases that checkpoints come from is the interpolation.
 */
public sealed interface ResizeWithPad permits BilinearResize, AntialiasedResize {
  /** LeRobot's, and openpi's in PyTorch: plain bilinear in float. */
  ResizeWithPad LEROBOT = new BilinearResize();

  /** What openpi's robots send: Pillow's antialiased bilinear in bytes. */
  ResizeWithPad OPENPI = new AntialiasedResize(AntialiasedResize.Arithmetic.PILLOW);

  /** What openpi's JAX model does with frames of another size: antialiased bilinear in float. */
  ResizeWithPad OPENPI_JAX = new AntialiasedResize(AntialiasedResize.Arithmetic.JAX);

  /**
   * The picture in bytes.
   *
   * @param width of the result
   * @param height of the result
   * @throws ImageException if the picture is so long that nothing of its shorter side remains
   */
  RgbImage resize(RgbImage image, int width, int height);

  /**
   * The picture as the network wants it.
   *
   * @return 3 × height × width in [−1, 1]: channel, row, column; padding is −1
   * @throws ImageException if the picture is so long that nothing of its shorter side remains
   */
  float[] pixels(RgbImage image, int width, int height);

  /**
   * Where the scaled picture lies in the frame; the odd pixel of padding is at the right and at the
   * bottom.
   *
   * @param width of the scaled picture
   * @param height of the scaled picture
   */
  record Placement(int left, int top, int width, int height) {
    /** {@code ratio = max(w/W, h/H)}, sizes {@code int(size/ratio)}, as all three have it. */
    static Placement of(RgbImage image, int width, int height) {
      Objects.requireNonNull(image, "image");
      if (width < 1 || height < 1) {
        throw new IllegalArgumentException(
            "resize to %d×%d pixels: expected at least 1×1".formatted(width, height));
      }
      double ratio = Math.max((double) image.width() / width, (double) image.height() / height);
      int scaledWidth = (int) (image.width() / ratio);
      int scaledHeight = (int) (image.height() / ratio);
      if (scaledWidth < 1 || scaledHeight < 1) {
        throw new ImageException(
            "frame of %d×%d pixels is %d×%d when it is fitted into %d×%d: nothing is left of it"
                .formatted(
                    image.width(), image.height(), scaledWidth, scaledHeight, width, height));
      }
      return new Placement(
          (width - scaledWidth) / 2, (height - scaledHeight) / 2, scaledWidth, scaledHeight);
    }
  }
}
