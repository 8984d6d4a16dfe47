package dev.pi0stream.operators.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pi0stream.model.image.Frame;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Videos of the frames that the image dataset holds exactly; {@code write_codecs.py} made them. */
class VideoReaderTest {
  private static final Path CODECS = Path.of("../tests/datasets/codecs");
  private static final double FPS = 10;

  /** Levels that the encoding changes on average, mostly by halving the resolution of colours. */
  private static final double CLOSE = 3;

  @ParameterizedTest
  @ValueSource(strings = {"hevc", "h264"})
  void everyFrameIsTheOneThatWasEncoded(String codec) {
    List<Frame> exact = frames();
    try (VideoReader video = VideoReader.open(CODECS.resolve(codec + ".mp4"), 0)) {
      for (int i = 0; i < exact.size(); i++) {
        assertThat(meanDifference(video.frameAt(i / FPS), exact.get(i))).isLessThan(CLOSE);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"hevc", "h264"})
  void aVideoIsEnteredAnywhere(String codec) {
    List<Frame> exact = frames();
    int last = exact.size() - 1;
    for (int start : new int[] {1, 7, last}) {
      try (VideoReader video = VideoReader.open(CODECS.resolve(codec + ".mp4"), start / FPS)) {
        Frame entered = video.frameAt(start / FPS);
        assertThat(meanDifference(entered, exact.get(start))).isLessThan(CLOSE);
        // The neighbours are farther away than what the encoding changed.
        assertThat(meanDifference(entered, exact.get(start - 1)))
            .isGreaterThan(meanDifference(entered, exact.get(start)));
        assertThat(meanDifference(video.frameAt(last / FPS), exact.get(last))).isLessThan(CLOSE);
      }
    }
  }

  @Test
  void aTimeBeyondTheEndIsNamed() {
    try (VideoReader video = VideoReader.open(CODECS.resolve("hevc.mp4"), 0)) {
      assertThatThrownBy(() -> video.frameAt(99))
          .isInstanceOf(DatasetException.class)
          .hasMessageContaining("has no frame at 99.0000 s");
    }
  }

  private static List<Frame> frames() {
    List<Frame> frames = new ArrayList<>();
    try (LeRobotDataset dataset = LeRobotDataset.open(Path.of("../tests/datasets/images"));
        EpisodeReader steps = dataset.read(dataset.episodes().getFirst(), List.of("top"))) {
      steps.forEachRemaining(step -> frames.add(step.frames().get("top")));
    }
    return frames;
  }

  private static double meanDifference(Frame one, Frame other) {
    assertThat(one.data()).hasSameSizeAs(other.data());
    return IntStream.range(0, one.data().length)
        .map(i -> Math.abs((one.data()[i] & 0xFF) - (other.data()[i] & 0xFF)))
        .average()
        .orElseThrow();
  }
}
