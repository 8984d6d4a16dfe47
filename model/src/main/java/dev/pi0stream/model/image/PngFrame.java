package dev.pi0stream.model.image;

import static dev.pi0stream.model.image.Frame.Encoding.PNG;
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32;

/**
 * The chunks of a PNG file (ISO/IEC 15948), walked with their checksums before anything is decoded.
 *
 * @param pixelData the file without its ancillary chunks: profiles, gamma, transparency and texts
 *     do not reach the decoder
 */
record PngFrame(int width, int height, byte[] pixelData) {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

  /** Length, type and checksum. */
  private static final int CHUNK_FRAME = 12;

  /**
   * Walks a file.
   *
   * @throws ImageException if it is truncated, broken or beyond the limits
   */
  static PngFrame parse(byte[] data, FrameDecoder.Limits limits) {
    if (data.length < SIGNATURE.length
        || !Arrays.equals(data, 0, SIGNATURE.length, SIGNATURE, 0, SIGNATURE.length)) {
      throw new ImageException(
          "PNG frame of %d bytes does not begin with PNG's signature".formatted(data.length));
    }
    ByteBuffer in = ByteBuffer.wrap(data);
    ByteArrayOutputStream kept = new ByteArrayOutputStream(data.length);
    kept.writeBytes(SIGNATURE);
    int at = SIGNATURE.length;
    int width = 0;
    int height = 0;
    boolean pixels = false;
    String type = "";
    while (!type.equals("IEND")) {
      if (data.length - at < CHUNK_FRAME
          || in.getInt(at) < 0
          || data.length - at - CHUNK_FRAME < in.getInt(at)) {
        throw new ImageException(
            "PNG frame is truncated: it ends after %d bytes without an end chunk"
                .formatted(data.length));
      }
      int length = in.getInt(at);
      type = new String(data, at + 4, 4, ISO_8859_1);
      boolean first = at == SIGNATURE.length;
      if (first != type.equals("IHDR")) {
        throw new ImageException(
            "PNG frame of %d bytes is corrupt: chunk %s at byte %d is out of place"
                .formatted(data.length, printable(type), at));
      }
      if (first) {
        if (length != 13) {
          throw new ImageException(
              "PNG frame of %d bytes is corrupt: its header has %d bytes: expected 13"
                  .formatted(data.length, length));
        }
        limits.check(
            PNG,
            Integer.toUnsignedLong(in.getInt(at + 8)),
            Integer.toUnsignedLong(in.getInt(at + 12)),
            bytesPerPixel(in.get(at + 16), in.get(at + 17)));
        width = in.getInt(at + 8);
        height = in.getInt(at + 12);
      }
      CRC32 crc = new CRC32();
      crc.update(data, at + 4, length + 4);
      if ((int) crc.getValue() != in.getInt(at + 8 + length)) {
        throw new ImageException(
            "PNG frame of %d bytes is corrupt: chunk %s at byte %d has a wrong checksum"
                .formatted(data.length, printable(type), at));
      }
      pixels |= type.equals("IDAT");
      if (Character.isUpperCase(type.charAt(0))) {
        kept.write(data, at, CHUNK_FRAME + length);
      }
      at += CHUNK_FRAME + length;
    }
    if (!pixels) {
      throw new ImageException("PNG frame of %d bytes has no picture in it".formatted(data.length));
    }
    return new PngFrame(width, height, kept.toByteArray());
  }

  /** What a decoded pixel takes; the decoder itself refuses depths and kinds that do not exist. */
  private static int bytesPerPixel(byte depth, byte colourType) {
    int samples =
        switch (colourType) {
          case 2 -> 3;
          case 4 -> 2;
          case 6 -> 4;
          default -> 1;
        };
    return depth == Short.SIZE ? 2 * samples : samples;
  }

  private static String printable(String type) {
    return type.chars().allMatch(c -> c > ' ' && c < 0x7F) ? type : "of an unknown type";
  }
}
