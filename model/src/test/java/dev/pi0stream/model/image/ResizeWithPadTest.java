package dev.pi0stream.model.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.model.Golden;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.StoredTensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ResizeWithPadTest {
  @Test
  void floatsEqualLeRobots() {
    for (JsonNode entry : Golden.entries("resize_with_pad")) {
      float tolerance = (float) entry.path("tolerance").asDouble();
      try (Safetensors tensors = Safetensors.open(Golden.file(entry))) {
        for (JsonNode shape : entry.path("parameters").path("shapes")) {
          String key = shape.path("key").asText();
          StoredTensor out = tensors.get("out.float." + key);
          int height = out.shape().get(1);
          int width = out.shape().get(2);
          float[] pixels =
              ResizeWithPad.LEROBOT.pixels(image(tensors.get("in." + key)), width, height);
          float[] expected = out.floats();
          for (int i = 0; i < height * width; i++) {
            for (int c = 0; c < 3; c++) {
              assertThat(pixels[c * height * width + i])
                  .as("%s at pixel %d, channel %d", key, i, c)
                  .isCloseTo(expected[3 * i + c] * 2 - 1, within(2 * tolerance));
            }
          }
        }
      }
    }
  }

  @Test
  void bytesEqualLeRobotsWithinOne() {
    for (JsonNode entry : Golden.entries("resize_with_pad")) {
      try (Safetensors tensors = Safetensors.open(Golden.file(entry))) {
        for (JsonNode shape : entry.path("parameters").path("shapes")) {
          String key = shape.path("key").asText();
          compare(
              ResizeWithPad.LEROBOT, tensors.get("in." + key), tensors.get("out.uint8." + key), 1);
        }
      }
    }
  }

  @Test
  void bytesEqualPillows() {
    for (JsonNode entry : Golden.entries("openpi_resize_with_pad_pil")) {
      try (Safetensors tensors = Safetensors.open(Golden.file(entry))) {
        for (JsonNode shape : entry.path("shapes")) {
          String key = shape.path("key").asText();
          compare(
              ResizeWithPad.OPENPI,
              tensors.get("in." + key),
              tensors.get("out." + key),
              entry.path("tolerance").asInt());
        }
      }
    }
  }

  @Test
  void bytesEqualJaxsWithinItsTolerance() {
    JsonNode inputs = Golden.entries("openpi_resize_with_pad_pil").getFirst();
    for (JsonNode entry : Golden.entries("openpi_resize_with_pad_jax")) {
      try (Safetensors in = Safetensors.open(Golden.file(inputs));
          Safetensors tensors = Safetensors.open(Golden.file(entry))) {
        for (StoredTensor out : tensors.all()) {
          compare(
              ResizeWithPad.OPENPI_JAX,
              in.get(out.name().replace("out.", "in.")),
              out,
              entry.path("tolerance").asInt());
        }
      }
    }
  }

  @Test
  void pixelsOfOpenpiAreItsBytesInMinusOneToOne() {
    RgbImage image = new RgbImage(2, 1, new byte[] {0, 51, (byte) 255, 10, 20, 30});
    float[] pixels = ResizeWithPad.OPENPI.pixels(image, 2, 2);
    assertThat(pixels[0]).isEqualTo(-1);
    assertThat(pixels[4]).isEqualTo(51 / 255f * 2 - 1);
    assertThat(pixels[8]).isEqualTo(1);
    assertThat(pixels[2]).as("padding").isEqualTo(-1);
  }

  @Test
  void theOddPixelOfPaddingIsAtTheBottom() {
    byte[] white = new byte[4 * 3];
    Arrays.fill(white, (byte) 255);
    float[] pixels = ResizeWithPad.LEROBOT.pixels(new RgbImage(4, 1, white), 4, 4);
    assertThat(Arrays.copyOf(pixels, 16))
        .containsExactly(-1, -1, -1, -1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1, -1);
  }

  @Test
  void aPictureOfWhichNothingIsLeftIsRefused() {
    RgbImage line = new RgbImage(1000, 1, new byte[3000]);
    for (ResizeWithPad resize :
        new ResizeWithPad[] {
          ResizeWithPad.LEROBOT, ResizeWithPad.OPENPI, ResizeWithPad.OPENPI_JAX
        }) {
      assertThatThrownBy(() -> resize.pixels(line, 224, 224))
          .isInstanceOf(ImageException.class)
          .hasMessage(
              "frame of 1000×1 pixels is 224×0 when it is fitted into 224×224: nothing is left of"
                  + " it");
    }
  }

  private static RgbImage image(StoredTensor tensor) {
    int dimensions = tensor.shape().size();
    return new RgbImage(
        tensor.shape().get(dimensions - 2), tensor.shape().get(dimensions - 3), tensor.bytes());
  }

  private static void compare(ResizeWithPad resize, StoredTensor in, StoredTensor out, int within) {
    RgbImage expected = image(out);
    byte[] actual = resize.resize(image(in), expected.width(), expected.height()).data();
    for (int i = 0; i < actual.length; i++) {
      assertThat(actual[i] & 0xFF)
          .as("%s at %d", out.name(), i)
          .isCloseTo(expected.data()[i] & 0xFF, within(within));
    }
  }
}
