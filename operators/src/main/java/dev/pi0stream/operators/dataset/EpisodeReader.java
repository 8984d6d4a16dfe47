package dev.pi0stream.operators.dataset;

import dev.pi0stream.model.image.Frame;
import dev.pi0stream.model.image.FrameDecoder;
import dev.pi0stream.model.image.ImageException;
import dev.pi0stream.model.image.RgbImage;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.OptionalInt;

/**
 * Steps of one episode, in order. Holds a table and a decoder for each camera open until it is
 * closed; used by one thread at a time.
 */
public final class EpisodeReader implements Iterator<Step>, AutoCloseable {
  private static final List<String> COLUMNS =
      List.of(
          "frame_index",
          "index",
          "timestamp",
          "task_index",
          LeRobotDataset.STATE,
          LeRobotDataset.ACTION);

  private final Episode episode;
  private final DatasetInfo info;
  private final LeRobotDataset.Tasks tasks;
  private final Parquet.Rows rows;
  private final List<Camera> cameras;
  private final StepRange wanted;

  /** The step whose row comes next. */
  private int next;

  private EpisodeReader(
      Episode episode,
      DatasetInfo info,
      LeRobotDataset.Tasks tasks,
      Parquet.Rows rows,
      List<Camera> cameras,
      StepRange wanted) {
    this.episode = episode;
    this.info = info;
    this.tasks = tasks;
    this.rows = rows;
    this.cameras = cameras;
    this.wanted = wanted;
    next = wanted.from();
  }

  static EpisodeReader open(
      DatasetInfo info,
      Parquet parquet,
      LeRobotDataset.Tasks tasks,
      Episode episode,
      List<Feature> features,
      StepRange wanted) {
    List<String> columns = new ArrayList<>(COLUMNS);
    List<Camera> cameras = new ArrayList<>();
    for (Feature feature : features) {
      if (feature.isVideo()) {
        cameras.add(new VideoCamera(feature, episode.videos().get(feature.key())));
      } else {
        columns.add(feature.key());
        cameras.add(new TableCamera(feature, columns.size()));
      }
    }
    Parquet.Rows rows =
        parquet.rows(
            episode.data(),
            columns,
            Map.of("episode_index", (long) episode.index()),
            Map.of("frame_index", (long) wanted.from()));
    return new EpisodeReader(episode, info, tasks, rows, cameras, wanted);
  }

  @Override
  public boolean hasNext() {
    return next < Math.min(wanted.to(), episode.length());
  }

  /**
   * The next step that is wanted.
   *
   * @throws DatasetException when it is not there or cannot be decoded
   */
  @Override
  public Step next() {
    if (!hasNext()) {
      throw new NoSuchElementException(episode + " has no more steps");
    }
    advance();
    double timestamp = rows.real(3);
    Map<String, Frame> frames = new LinkedHashMap<>();
    for (Camera camera : cameras) {
      frames.put(LeRobotDataset.cameraName(camera.feature().key()), frame(camera, timestamp));
    }
    Step step =
        new Step(
            next,
            rows.integer(2),
            timestamp,
            task(),
            values(5, LeRobotDataset.STATE),
            values(6, LeRobotDataset.ACTION),
            Collections.unmodifiableMap(frames));
    next++;
    while (hasNext() && !wanted.contains(next)) {
      advance();
      next++;
    }
    if (next == episode.length() && rows.next()) {
      throw new DatasetException(
          "%s has more rows of %s than its length, %d"
              .formatted(rows.file(), episode, episode.length()));
    }
    return step;
  }

  @Override
  public void close() {
    cameras.forEach(Camera::close);
    rows.close();
  }

  /** Goes to the row of step {@link #next}. */
  private void advance() {
    if (!rows.next()) {
      throw new DatasetException(
          "%s has %d rows of %s, but its length is %d"
              .formatted(rows.file(), next, episode, episode.length()));
    }
    long frameIndex = rows.integer(1);
    if (frameIndex != next) {
      throw new DatasetException(
          "%s: row %d of %s has frame_index %d".formatted(rows.file(), next, episode, frameIndex));
    }
  }

  private String task() {
    long task = rows.integer(4);
    String text = tasks.texts().get(task);
    if (text == null) {
      throw new DatasetException(
          "%s: %s has task_index %d, which %s does not list"
              .formatted(rows.file(), episode, task, tasks.file()));
    }
    return text;
  }

  private float[] values(int column, String key) {
    float[] values = rows.floats(column);
    int expected = info.features().get(key).size();
    if (values.length != expected) {
      throw new DatasetException(
          "%s: %s of %s has %d numbers, but info.json says %d"
              .formatted(rows.file(), key, episode, values.length, expected));
    }
    return values;
  }

  private Frame frame(Camera camera, double timestamp) {
    Frame frame = camera.frame(rows, timestamp);
    Feature feature = camera.feature();
    OptionalInt height = feature.axis("height");
    OptionalInt width = feature.axis("width");
    if (height.orElse(frame.height()) != frame.height()
        || width.orElse(frame.width()) != frame.width()) {
      throw new DatasetException(
          "%s: a frame of %s in %s is %d x %d, but info.json says %d x %d"
              .formatted(
                  rows.file(),
                  feature.key(),
                  episode,
                  frame.width(),
                  frame.height(),
                  width.orElse(frame.width()),
                  height.orElse(frame.height())));
    }
    return frame;
  }

  /** Where the frames of a camera come from. */
  private sealed interface Camera extends AutoCloseable {
    Feature feature();

    Frame frame(Parquet.Rows rows, double timestamp);

    @Override
    void close();
  }

  /** Frames in a video file: that of a step is at the episode's start plus the step's timestamp. */
  private static final class VideoCamera implements Camera {
    private final Feature feature;
    private final VideoSpan span;

    /** Opened with the first frame, where the file is entered. */
    private VideoReader video;

    VideoCamera(Feature feature, VideoSpan span) {
      this.feature = feature;
      this.span = span;
    }

    @Override
    public Feature feature() {
      return feature;
    }

    @Override
    public Frame frame(Parquet.Rows rows, double timestamp) {
      double seconds = span.from() + timestamp;
      if (video == null) {
        video = VideoReader.open(span.file(), seconds);
      }
      return video.frameAt(seconds);
    }

    @Override
    public void close() {
      if (video != null) {
        video.close();
      }
    }
  }

  /** Frames in the rows themselves. */
  private record TableCamera(Feature feature, int column) implements Camera {
    private static final FrameDecoder DECODER = new FrameDecoder();
    private static final int JPEG_MARKER = 0xFF;

    @Override
    public Frame frame(Parquet.Rows rows, double timestamp) {
      try {
        byte[] bytes = rows.imageBytes(column);
        boolean jpeg = bytes.length > 0 && Byte.toUnsignedInt(bytes[0]) == JPEG_MARKER;
        RgbImage image =
            DECODER.decode(new Frame(jpeg ? Frame.Encoding.JPEG : Frame.Encoding.PNG, 0, 0, bytes));
        return Frame.rgb(image.width(), image.height(), image.data());
      } catch (ImageException e) {
        throw new DatasetException(
            "%s: column %s: %s".formatted(rows.file(), feature.key(), e.getMessage()), e);
      }
    }

    @Override
    public void close() {
      // The rows are closed by their reader.
    }
  }
}
