package dev.pi0stream.job.replay;

import dev.pi0stream.model.image.Frame;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import javax.imageio.ImageIO;

/** Raw frames as PNG files. */
public final class FramePicture {
  private FramePicture() {}

  /**
   * Frames side by side, from their upper edges; no pixel is changed.
   *
   * @param frames raw ones, one or more
   */
  public static byte[] png(List<Frame> frames) {
    int width = frames.stream().mapToInt(Frame::width).sum();
    int height = frames.stream().mapToInt(Frame::height).max().orElseThrow();
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    int left = 0;
    for (Frame frame : frames) {
      image.setRGB(left, 0, frame.width(), frame.height(), packed(frame), 0, frame.width());
      left += frame.width();
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      ImageIO.write(image, "png", bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static int[] packed(Frame frame) {
    if (frame.encoding() != Frame.Encoding.RGB8) {
      throw new IllegalArgumentException("a %s frame: expected RGB8".formatted(frame.encoding()));
    }
    int[] pixels = new int[frame.width() * frame.height()];
    byte[] data = frame.data();
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] =
          Byte.toUnsignedInt(data[3 * i]) << 16
              | Byte.toUnsignedInt(data[3 * i + 1]) << 8
              | Byte.toUnsignedInt(data[3 * i + 2]);
    }
    return pixels;
  }
}
