package dev.pi0stream.model.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.StoredTensor;
import dev.pi0stream.model.image.Frame.Encoding;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;

/** Frames of every kind are in {@code frames.safetensors}, with their pixels by Pillow. */
class FrameDecoderTest {
  private final FrameDecoder decoder = new FrameDecoder();

  @Test
  void pixelsEqualPillows() {
    try (Safetensors frames = frames()) {
      int compared = 0;
      for (StoredTensor pixels : frames.all()) {
        if (!pixels.name().startsWith("pixels.")) {
          continue;
        }
        String name = pixels.name().substring("pixels.".length());
        RgbImage image = decoder.decode(frame(frames, name));
        assertThat(List.of(image.height(), image.width(), 3)).as(name).isEqualTo(pixels.shape());
        assertThat(image.data()).as(name).isEqualTo(pixels.bytes());
        compared++;
      }
      assertThat(compared).isGreaterThan(25);
    }
  }

  @Test
  void rawFramesAreTakenAsTheyAre() {
    byte[] data = {1, 2, 3, 4, 5, 6};
    assertThat(decoder.decode(Frame.rgb(2, 1, data)).data()).isSameAs(data);
    refuses(Frame.rgb(2, 2, data), "RGB8 frame of 2×2 pixels has 6 bytes: expected 12");
    refuses(Frame.rgb(0, 2, data), "RGB8 frame of 0×2 pixels: expected at least 1×1");
    refuses(
        Frame.rgb(65536, 65536, data),
        "RGB8 frame claims 65536×65536 pixels: expected at most 4096×4096 and 67108864 bytes"
            + " decoded");
  }

  @Test
  void aHeaderThatClaimsTooMuchIsRefusedBeforeAnythingIsAllocated() {
    byte[] jpeg = bytes("colour-444.jpg");
    int header = indexOf(jpeg, 0xC0);
    ByteBuffer.wrap(jpeg).putShort(header + 4, (short) 60000).putShort(header + 6, (short) 60000);
    refuses(
        new Frame(Encoding.JPEG, 0, 0, jpeg),
        "JPEG frame claims 60000×60000 pixels: expected at most 4096×4096 and 67108864 bytes"
            + " decoded");
    refuses(
        new Frame(Encoding.PNG, 0, 0, png(60000, 60000, 8, 2, new byte[10])),
        "PNG frame claims 60000×60000 pixels: expected at most 4096×4096 and 67108864 bytes"
            + " decoded");
    refuses(
        new Frame(Encoding.PNG, 0, 0, png(-1, 1, 8, 2, new byte[10])),
        "PNG frame claims 4294967295×1 pixels: expected at most 4096×4096 and 67108864 bytes"
            + " decoded");
    refuses(
        new Frame(Encoding.PNG, 0, 0, png(0, 1, 8, 2, new byte[10])),
        "PNG frame of 0×1 pixels: expected at least 1×1");
  }

  @Test
  void moreThanThreeBytesForAPixelCount() {
    refuses(
        new Frame(Encoding.PNG, 0, 0, png(4096, 4096, 16, 6, new byte[10])),
        "PNG frame claims 4096×4096 pixels: expected at most 4096×4096 and 67108864 bytes"
            + " decoded");
    assertThatThrownBy(
            () ->
                decoder.decode(new Frame(Encoding.PNG, 0, 0, png(4096, 4096, 8, 2, new byte[10]))))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("is corrupt");
  }

  @Test
  void limitsAreConfigurable() {
    Frame frame = new Frame(Encoding.PNG, 0, 0, bytes("colour-8.png"));
    refuses(
        new FrameDecoder(new FrameDecoder.Limits(12, 5, 1000)),
        frame,
        "PNG frame claims 13×5 pixels: expected at most 12×5 and 1000 bytes decoded");
    refuses(
        new FrameDecoder(new FrameDecoder.Limits(13, 5, 194)),
        frame,
        "PNG frame claims 13×5 pixels: expected at most 13×5 and 194 bytes decoded");
    assertThat(new FrameDecoder(new FrameDecoder.Limits(13, 5, 195)).decode(frame).width())
        .isEqualTo(13);
    assertThatThrownBy(() -> new FrameDecoder.Limits(0, 5, 195))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aFrameThatEndsTooEarlyIsRefusedWhereverItEnds() {
    for (String name :
        List.of("colour-420.jpg", "progressive.jpg", "restarts.jpg", "grey.jpg", "filters.png")) {
      byte[] data = bytes(name);
      for (int length = 0; length < data.length; length++) {
        Frame frame = frame(name, Arrays.copyOf(data, length));
        assertThatThrownBy(() -> decoder.decode(frame))
            .as("%s cut to %d bytes", name, length)
            .isInstanceOf(ImageException.class)
            .message()
            .doesNotContain("\n")
            .startsWith(frame.encoding() + " frame");
      }
    }
  }

  @Test
  void whatFollowsTheEndOfAFrameIsIgnored() {
    for (String name : List.of("colour-420.jpg", "filters.png")) {
      byte[] data = bytes(name);
      byte[] longer = Arrays.copyOf(data, data.length + 100);
      assertThat(decoder.decode(frame(name, longer)).data())
          .isEqualTo(decoder.decode(frame(name, data)).data());
    }
  }

  @Test
  void missingScanDataIsRefusedThoughTheEndMarkerIsThere() {
    byte[] data = bytes("colour-444.jpg");
    byte[] shorter = Arrays.copyOf(data, data.length - 100);
    shorter[shorter.length - 2] = (byte) 0xFF;
    shorter[shorter.length - 1] = (byte) 0xD9;
    assertThatThrownBy(() -> decoder.decode(frame("a.jpg", shorter)))
        .isInstanceOf(ImageException.class)
        .hasMessageMatching("JPEG frame of \\d+ bytes is truncated or corrupt: .*");
  }

  @Test
  void aWrongChecksumIsRefused() {
    byte[] data = bytes("colour-8.png");
    data[data.length - 30] ^= 1;
    refuses(
        frame("a.png", data),
        "PNG frame of %d bytes is corrupt: chunk IDAT at byte 33 has a wrong checksum"
            .formatted(data.length));
  }

  @Test
  void tooFewPixelsAreRefused() {
    assertThatThrownBy(() -> decoder.decode(frame("a.png", png(4, 4, 8, 2, new byte[20]))))
        .isInstanceOf(ImageException.class)
        .hasMessageStartingWith("PNG frame of ");
  }

  @Test
  void kindsThatNoCameraSendsAreRefused() {
    refuses(
        frame("a.jpg", bytes("cmyk.jpg")),
        "JPEG frame has 4 colour components (CMYK): expected 1 (grey) or 3 (colour)");
    byte[] arithmetic = bytes("colour-444.jpg");
    arithmetic[indexOf(arithmetic, 0xC0)] = (byte) 0xC9;
    refuses(
        frame("a.jpg", arithmetic),
        "JPEG frame is of kind SOF9: expected baseline or progressive with Huffman codes");
    byte[] deep = bytes("colour-444.jpg");
    deep[indexOf(deep, 0xC0) + 3] = 12;
    refuses(frame("a.jpg", deep), "JPEG frame has 12 bits a sample: expected 8");
  }

  @Test
  void otherFormatsAreRefused() {
    byte[] png = bytes("colour-8.png");
    byte[] jpeg = bytes("colour-444.jpg");
    refuses(
        frame("a.jpg", png),
        "JPEG frame of %d bytes does not begin with a JPEG marker".formatted(png.length));
    refuses(
        frame("a.png", jpeg),
        "PNG frame of %d bytes does not begin with PNG's signature".formatted(jpeg.length));
    refuses(frame("a.jpg", new byte[0]), "JPEG frame of 0 bytes does not begin with a JPEG marker");
  }

  @Test
  void damagedFramesEndInAnImageExceptionOrAPicture() {
    Random random = new Random(4711);
    try (Safetensors frames = frames()) {
      for (StoredTensor tensor : frames.all()) {
        if (tensor.name().startsWith("pixels.")) {
          continue;
        }
        for (int round = 0; round < 60; round++) {
          byte[] data = tensor.bytes();
          for (int i = random.nextInt(4); i >= 0; i--) {
            data[random.nextInt(data.length)] = (byte) random.nextInt(256);
          }
          if (tensor.name().endsWith(".png") && random.nextBoolean()) {
            repairChecksums(data);
          }
          try {
            RgbImage image = decoder.decode(frame(tensor.name(), data));
            assertThat(image.data()).hasSize(image.width() * image.height() * 3);
          } catch (ImageException e) {
            assertThat(e.getMessage()).isNotBlank().doesNotContain("\n");
          }
        }
      }
    }
  }

  @Test
  void randomBytesAreRefused() {
    Random random = new Random(42);
    for (int round = 0; round < 2000; round++) {
      byte[] data = new byte[random.nextInt(200)];
      random.nextBytes(data);
      Encoding encoding = round % 2 == 0 ? Encoding.JPEG : Encoding.PNG;
      byte[] start =
          encoding == Encoding.JPEG
              ? new byte[] {(byte) 0xFF, (byte) 0xD8}
              : new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
      if (random.nextBoolean()) {
        System.arraycopy(start, 0, data, 0, Math.min(start.length, data.length));
      }
      Frame frame = new Frame(encoding, 0, 0, data);
      assertThatThrownBy(() -> decoder.decode(frame)).isInstanceOf(ImageException.class);
    }
  }

  @Test
  void manyThreadsDecodeAtOnce() throws Exception {
    byte[] data = bytes("colour-420.jpg");
    byte[] expected = decoder.decode(frame("a.jpg", data)).data();
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<byte[]>> results = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        results.add(threads.submit(() -> decoder.decode(frame("a.jpg", data)).data()));
      }
      for (Future<byte[]> result : results) {
        assertThat(result.get()).isEqualTo(expected);
      }
    }
  }

  // ------------------------------------------------------------------ frames

  private void refuses(Frame frame, String message) {
    refuses(decoder, frame, message);
  }

  private static void refuses(FrameDecoder decoder, Frame frame, String message) {
    assertThatThrownBy(() -> decoder.decode(frame))
        .isInstanceOf(ImageException.class)
        .hasMessage(message);
  }

  private static Safetensors frames() {
    try {
      return Safetensors.open(
          Path.of(FrameDecoderTest.class.getResource("frames.safetensors").toURI()));
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  private static Frame frame(Safetensors frames, String name) {
    return frame(name, frames.get(name).bytes());
  }

  private static Frame frame(String name, byte[] data) {
    return new Frame(name.endsWith(".jpg") ? Encoding.JPEG : Encoding.PNG, 0, 0, data);
  }

  private static byte[] bytes(String name) {
    try (Safetensors frames = frames()) {
      return frames.get(name).bytes();
    }
  }

  /** Where a JPEG's segment of this kind has its second marker byte. */
  private static int indexOf(byte[] jpeg, int marker) {
    for (int i = 0; i + 1 < jpeg.length; i++) {
      if (jpeg[i] == (byte) 0xFF && jpeg[i + 1] == (byte) marker) {
        return i + 1;
      }
    }
    throw new AssertionError("no marker " + marker);
  }

  private static byte[] png(int width, int height, int depth, int colour, byte[] rows) {
    Deflater deflater = new Deflater();
    deflater.setInput(rows);
    deflater.finish();
    byte[] packed = new byte[rows.length + 64];
    int length = deflater.deflate(packed);
    deflater.end();
    ByteBuffer out = ByteBuffer.allocate(8 + 25 + 12 + length + 12);
    out.put(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'});
    out.putInt(13).put(new byte[] {'I', 'H', 'D', 'R'});
    out.putInt(width).putInt(height).put((byte) depth).put((byte) colour).put(new byte[7]);
    out.putInt(length).put(new byte[] {'I', 'D', 'A', 'T'}).put(packed, 0, length).putInt(0);
    out.putInt(0).put(new byte[] {'I', 'E', 'N', 'D'}).putInt(0);
    repairChecksums(out.array());
    return out.array();
  }

  /** Gives every chunk that can be found its checksum. */
  private static void repairChecksums(byte[] png) {
    ByteBuffer in = ByteBuffer.wrap(png);
    int at = 8;
    while (png.length - at >= 12) {
      int length = in.getInt(at);
      if (length < 0 || length > png.length - at - 12) {
        return;
      }
      CRC32 crc = new CRC32();
      crc.update(png, at + 4, length + 4);
      in.putInt(at + 8 + length, (int) crc.getValue());
      at += 12 + length;
    }
  }
}
