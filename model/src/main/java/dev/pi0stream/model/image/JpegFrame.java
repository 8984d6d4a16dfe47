package dev.pi0stream.model.image;

import static dev.pi0stream.model.image.Frame.Encoding.JPEG;

import java.io.ByteArrayOutputStream;

/**
 * The structure of a JPEG file (ITU T.81), walked from its first marker to its last before anything
 * is decoded.
 *
 * @param pixelData the file without its application and comment segments, and with one that tells
 *     the decoder the colour space that libjpeg would choose: embedded profiles and thumbnails do
 *     not reach it, and a bare JPEG without subsampling is not taken for RGB
 */
record JpegFrame(int width, int height, byte[] pixelData) {
  private static final int SOI = 0xD8;
  private static final int EOI = 0xD9;
  private static final int SOS = 0xDA;
  private static final int TEM = 0x01;
  private static final int COM = 0xFE;
  private static final int APP0 = 0xE0;
  private static final int APP14 = 0xEE;
  private static final int APP15 = 0xEF;
  private static final int RST0 = 0xD0;
  private static final int RST7 = 0xD7;

  /** Enough for every progressive encoder; more only cost time. */
  private static final int MAX_SCANS = 64;

  private static final byte[] JFIF = {
    (byte) 0xFF, (byte) APP0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0
  };
  private static final byte[] ADOBE_RGB = {
    (byte) 0xFF, (byte) APP14, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0
  };

  /**
   * Walks a file.
   *
   * @throws ImageException if it is truncated or broken, beyond the limits, or of a kind that is
   *     not decoded
   */
  static JpegFrame parse(byte[] data, FrameDecoder.Limits limits) {
    return new Walk(data, limits).frame();
  }

  private static final class Walk {
    private final byte[] data;
    private final FrameDecoder.Limits limits;
    private final ByteArrayOutputStream rest;
    private int at = 2;
    private int width;
    private int height;
    private int scans;
    private boolean jfif;
    private int adobeTransform = -1;
    private int[] components = {};

    Walk(byte[] data, FrameDecoder.Limits limits) {
      this.data = data;
      this.limits = limits;
      rest = new ByteArrayOutputStream(data.length);
    }

    JpegFrame frame() {
      if (data.length < 2 || octet(0) != 0xFF || octet(1) != SOI) {
        throw new ImageException(
            "JPEG frame of %d bytes does not begin with a JPEG marker".formatted(data.length));
      }
      int marker = marker();
      while (marker != EOI) {
        segment(marker);
        marker = marker();
      }
      if (scans == 0) {
        throw new ImageException(
            "JPEG frame of %d bytes has no picture in it".formatted(data.length));
      }
      byte[] colours = components.length == 1 || !isRgb() ? JFIF : ADOBE_RGB;
      ByteArrayOutputStream out = new ByteArrayOutputStream(rest.size() + 32);
      out.write(0xFF);
      out.write(SOI);
      out.writeBytes(colours);
      out.writeBytes(rest.toByteArray());
      out.write(0xFF);
      out.write(EOI);
      return new JpegFrame(width, height, out.toByteArray());
    }

    /** The next marker; fill bytes before it are allowed. */
    private int marker() {
      need(2);
      if (octet(at) != 0xFF) {
        throw new ImageException(
            "JPEG frame of %d bytes is corrupt: byte %d is 0x%02X where a marker belongs"
                .formatted(data.length, at, octet(at)));
      }
      while (octet(at) == 0xFF) {
        at++;
        need(1);
      }
      return octet(at++);
    }

    private void segment(int marker) {
      if (marker == 0 || marker == TEM || (marker >= RST0 && marker <= SOI)) {
        throw new ImageException(
            "JPEG frame of %d bytes is corrupt: unexpected marker 0x%02X at byte %d"
                .formatted(data.length, marker, at - 1));
      }
      need(2);
      int length = (octet(at) << 8) | octet(at + 1);
      if (length < 2) {
        throw new ImageException(
            "JPEG frame of %d bytes is corrupt: segment 0x%02X at byte %d has length %d"
                .formatted(data.length, marker, at - 1, length));
      }
      need(length);
      int body = at + 2;
      int end = at + length;
      boolean application = marker >= APP0 && marker <= APP15;
      if (application) {
        application(marker, body, end);
      } else if (isFrameHeader(marker)) {
        frameHeader(marker, body, end);
      }
      if (!application && marker != COM) {
        rest.write(0xFF);
        rest.write(marker);
        rest.write(data, at, length);
      }
      at = end;
      if (marker == SOS) {
        scan();
      }
    }

    private void application(int marker, int body, int end) {
      if (marker == APP0 && startsWith(body, end, "JFIF\0")) {
        jfif = true;
      } else if (marker == APP14 && end - body >= 12 && startsWith(body, end, "Adobe")) {
        adobeTransform = octet(body + 11);
      }
    }

    private boolean startsWith(int body, int end, String text) {
      if (end - body < text.length()) {
        return false;
      }
      for (int i = 0; i < text.length(); i++) {
        if (octet(body + i) != text.charAt(i)) {
          return false;
        }
      }
      return true;
    }

    /** SOF0 to SOF15, between which DHT, JPG and DAC lie. */
    private static boolean isFrameHeader(int marker) {
      return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    }

    private void frameHeader(int marker, int body, int end) {
      if (components.length > 0) {
        throw new ImageException(
            "JPEG frame of %d bytes is corrupt: it has two frame headers".formatted(data.length));
      }
      if (marker > 0xC2) {
        throw new ImageException(
            "JPEG frame is of kind SOF%d: expected baseline or progressive with Huffman codes"
                .formatted(marker - 0xC0));
      }
      int count = end - body < 6 ? 0 : octet(body + 5);
      if (end - body != 6 + 3 * count) {
        throw new ImageException(
            "JPEG frame of %d bytes is corrupt: its frame header has %d bytes"
                .formatted(data.length, end - body));
      }
      if (octet(body) != 8) {
        throw new ImageException(
            "JPEG frame has %d bits a sample: expected 8".formatted(octet(body)));
      }
      height = (octet(body + 1) << 8) | octet(body + 2);
      width = (octet(body + 3) << 8) | octet(body + 4);
      limits.check(JPEG, width, height, RgbImage.CHANNELS);
      if (count != 1 && count != 3) {
        throw new ImageException(
            "JPEG frame has %d colour components%s: expected 1 (grey) or 3 (colour)"
                .formatted(count, count == 4 ? " (CMYK)" : ""));
      }
      components = new int[count];
      for (int i = 0; i < count; i++) {
        components[i] = octet(body + 6 + 3 * i);
      }
    }

    /** Goes to the marker after entropy-coded data. */
    private void scan() {
      if (components.length == 0) {
        throw new ImageException(
            "JPEG frame of %d bytes is corrupt: a scan comes before the frame header"
                .formatted(data.length));
      }
      if (++scans > MAX_SCANS) {
        throw new ImageException("JPEG frame has more than %d scans".formatted(MAX_SCANS));
      }
      int start = at;
      while (true) {
        need(2);
        int next = octet(at + 1);
        if (octet(at) == 0xFF && next != 0 && next != 0xFF && !(next >= RST0 && next <= RST7)) {
          break;
        }
        at++;
      }
      rest.write(data, start, at - start);
    }

    /** libjpeg's choice ({@code default_decompress_parms}). */
    private boolean isRgb() {
      if (jfif) {
        return false;
      }
      if (adobeTransform >= 0) {
        return adobeTransform == 0;
      }
      return components[0] == 'R' && components[1] == 'G' && components[2] == 'B';
    }

    private int octet(int index) {
      return Byte.toUnsignedInt(data[index]);
    }

    private void need(int bytes) {
      if (data.length - at < bytes) {
        throw new ImageException(
            "JPEG frame is truncated: it ends after %d bytes without an end marker"
                .formatted(data.length));
      }
    }
  }
}
