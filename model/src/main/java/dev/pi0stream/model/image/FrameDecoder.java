package dev.pi0stream.model.image;

import dev.pi0stream.model.image.Frame.Encoding;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentSampleModel;
import java.awt.image.DataBufferByte;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicReference;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.event.IIOReadWarningListener;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * Decodes frames to the pixels that Pillow's {@code convert("RGB")} gives: grey values repeated,
 * alpha dropped, colour profiles and orientation tags not applied.
 *
 * <p>What a frame claims is checked before a pixel is decoded, so that a few bytes cannot ask for
 * gigabytes. {@code javax.imageio} alone is not enough for frames from outside: it accepts
 * truncated JPEGs and PNGs with wrong checksums, guesses colour spaces, applies embedded profiles,
 * and brightens grey pictures on their way to RGB. So frames are walked first ({@link JpegFrame},
 * {@link PngFrame}), only what describes pixels is handed on, warnings are errors, and samples are
 * read from the raster. Safe for use by many threads; nothing touches the disk or a display.
 */
public final class FrameDecoder {
  /** A size that no robot's camera reaches, and that a worker can afford. */
  public static final Limits DEFAULT_LIMITS = new Limits(4096, 4096, 64L << 20);

  private final Limits limits;

  /**
   * Bounds of decoded frames.
   *
   * @param bytes of the decoded picture: three for each pixel, or more where the frame has them
   */
  public record Limits(int width, int height, long bytes) {
    public Limits {
      if (width < 1 || height < 1 || bytes < 1 || bytes > Integer.MAX_VALUE - 8) {
        throw new IllegalArgumentException(
            "frame limits of %d×%d pixels and %d bytes: expected positive ones below 2 GiB"
                .formatted(width, height, bytes));
      }
    }

    /** Refuses a picture that is empty or beyond the bounds. */
    void check(Encoding encoding, long actualWidth, long actualHeight, int bytesPerPixel) {
      if (actualWidth < 1 || actualHeight < 1) {
        throw new ImageException(
            "%s frame of %d×%d pixels: expected at least 1×1"
                .formatted(encoding, actualWidth, actualHeight));
      }
      if (actualWidth > width
          || actualHeight > height
          || actualWidth * actualHeight * Math.max(bytesPerPixel, RgbImage.CHANNELS) > bytes) {
        throw new ImageException(
            "%s frame claims %d×%d pixels: expected at most %d×%d and %d bytes decoded"
                .formatted(encoding, actualWidth, actualHeight, width, height, bytes));
      }
    }
  }

  /** Decodes within {@link #DEFAULT_LIMITS}. */
  public FrameDecoder() {
    this(DEFAULT_LIMITS);
  }

  public FrameDecoder(Limits limits) {
    this.limits = limits;
  }

  /**
   * The pixels of a frame. Raw frames are not copied.
   *
   * @throws ImageException if it is truncated, corrupt, beyond the limits, or of a kind that does
   *     not exist on cameras (CMYK, 12 bits a sample, arithmetic coding)
   */
  public RgbImage decode(Frame frame) {
    return switch (frame.encoding()) {
      case RGB8 -> raw(frame);
      case JPEG -> {
        JpegFrame jpeg = JpegFrame.parse(frame.data(), limits);
        yield pixels(frame.encoding(), "jpeg", jpeg.pixelData(), jpeg.width(), jpeg.height());
      }
      case PNG -> {
        PngFrame png = PngFrame.parse(frame.data(), limits);
        yield pixels(frame.encoding(), "png", png.pixelData(), png.width(), png.height());
      }
    };
  }

  private RgbImage raw(Frame frame) {
    limits.check(frame.encoding(), frame.width(), frame.height(), RgbImage.CHANNELS);
    int expected = frame.width() * frame.height() * RgbImage.CHANNELS;
    if (frame.data().length != expected) {
      throw new ImageException(
          "RGB8 frame of %d×%d pixels has %d bytes: expected %d"
              .formatted(frame.width(), frame.height(), frame.data().length, expected));
    }
    return new RgbImage(frame.width(), frame.height(), frame.data());
  }

  private static RgbImage pixels(
      Encoding encoding, String format, byte[] data, int width, int height) {
    ImageReader reader = reader(format);
    AtomicReference<String> warning = new AtomicReference<>();
    BufferedImage image;
    try (MemoryCacheImageInputStream in =
        new MemoryCacheImageInputStream(new ByteArrayInputStream(data))) {
      IIOReadWarningListener listener = (_, text) -> warning.compareAndSet(null, text);
      reader.addIIOReadWarningListener(listener);
      reader.setInput(in, true, true);
      image = reader.read(0);
    } catch (IOException | RuntimeException e) {
      throw new ImageException(
          "%s frame of %d bytes is corrupt: %s".formatted(encoding, data.length, reason(e)), e);
    } finally {
      reader.dispose();
    }
    if (warning.get() != null) {
      throw new ImageException(
          "%s frame of %d bytes is truncated or corrupt: %s"
              .formatted(encoding, data.length, warning.get()));
    }
    if (image.getWidth() != width || image.getHeight() != height) {
      throw new ImageException(
          "%s frame has %d×%d pixels: its header claims %d×%d"
              .formatted(encoding, image.getWidth(), image.getHeight(), width, height));
    }
    return new RgbImage(width, height, samples(image));
  }

  /** The JDK's own reader: other plug-ins on the class path have other rules. */
  private static ImageReader reader(String format) {
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
    while (readers.hasNext()) {
      ImageReader reader = readers.next();
      if (reader.getClass().getModule() == ImageIO.class.getModule()) {
        return reader;
      }
      reader.dispose();
    }
    throw new IllegalStateException("this Java runtime has no " + format + " reader");
  }

  private static String reason(Exception e) {
    Throwable cause = e;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = cause.getMessage();
    return message == null ? cause.getClass().getSimpleName() : message;
  }

  /** Samples as eight bits, by number of bands: grey, grey and alpha, RGB, RGB and alpha. */
  private static byte[] samples(BufferedImage image) {
    Raster raster = image.getRaster();
    if (image.getColorModel() instanceof IndexColorModel model) {
      return coloured(raster, palette(model));
    }
    if (raster.getDataBuffer() instanceof DataBufferByte buffer
        && raster.getSampleModel() instanceof ComponentSampleModel model) {
      return interleaved(buffer.getData(), model);
    }
    int bands = raster.getNumBands();
    int step = bands < RgbImage.CHANNELS ? 0 : 1;
    // Of sixteen bits Pillow keeps the upper eight.
    int shift = raster.getSampleModel().getSampleSize(0) - Byte.SIZE;
    byte[] rgb = new byte[raster.getWidth() * raster.getHeight() * RgbImage.CHANNELS];
    int[] row = new int[raster.getWidth() * bands];
    int at = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(0, y, raster.getWidth(), 1, row);
      for (int i = 0; i < row.length; i += bands) {
        for (int c = 0; c < RgbImage.CHANNELS; c++) {
          rgb[at++] = (byte) (row[i + c * step] >> shift);
        }
      }
    }
    return rgb;
  }

  /** What nearly all frames are: bytes in a row. */
  private static byte[] interleaved(byte[] data, ComponentSampleModel model) {
    int[] offsets = model.getBandOffsets();
    boolean grey = offsets.length < RgbImage.CHANNELS;
    int red = offsets[0];
    int green = grey ? red : offsets[1];
    int blue = grey ? red : offsets[2];
    byte[] rgb = new byte[model.getWidth() * model.getHeight() * RgbImage.CHANNELS];
    int at = 0;
    for (int y = 0; y < model.getHeight(); y++) {
      int pixel = y * model.getScanlineStride();
      for (int x = 0; x < model.getWidth(); x++) {
        rgb[at++] = data[pixel + red];
        rgb[at++] = data[pixel + green];
        rgb[at++] = data[pixel + blue];
        pixel += model.getPixelStride();
      }
    }
    return rgb;
  }

  private static byte[] coloured(Raster indices, byte[] palette) {
    byte[] rgb = new byte[indices.getWidth() * indices.getHeight() * RgbImage.CHANNELS];
    int[] row = new int[indices.getWidth()];
    int at = 0;
    for (int y = 0; y < indices.getHeight(); y++) {
      indices.getPixels(0, y, row.length, 1, row);
      for (int index : row) {
        System.arraycopy(palette, index * RgbImage.CHANNELS, rgb, at, RgbImage.CHANNELS);
        at += RgbImage.CHANNELS;
      }
    }
    return rgb;
  }

  /** The colours of a palette; grey levels of fewer than eight bits come as one too. */
  private static byte[] palette(IndexColorModel model) {
    // Indices beyond the palette are black in Pillow.
    byte[] palette = new byte[256 * RgbImage.CHANNELS];
    for (int i = 0; i < Math.min(256, model.getMapSize()); i++) {
      palette[i * RgbImage.CHANNELS] = (byte) model.getRed(i);
      palette[i * RgbImage.CHANNELS + 1] = (byte) model.getGreen(i);
      palette[i * RgbImage.CHANNELS + 2] = (byte) model.getBlue(i);
    }
    return palette;
  }
}
