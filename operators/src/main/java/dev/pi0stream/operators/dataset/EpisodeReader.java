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
 * The steps of one episode, from the first to the last. Holds a table and a decoder for each camera
 * open until it is closed; used by one thread at a time.
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
  private final Map<Long, String> tasks;
  private final Parquet.Rows rows;
  private final List<Camera> cameras;
  private int next;

  private EpisodeReader(
      Episode episode,
      DatasetInfo info,
      Map<Long, String> tasks,
      Parquet.Rows rows,
      List<Camera> cameras) {
    this.episode = episode;
    this.info = info;
    this.tasks = tasks;
    this.rows = rows;
    this.cameras = cameras;
  }

  static EpisodeReader open(
      DatasetInfo info,
      Parquet parquet,
      Map<Long, String> tasks,
      Episode episode,
      List<Feature> features) {
    List<String> columns = new ArrayList<>(COLUMNS);
    List<Camera> cameras = new ArrayList<>();
    try {
      for (Feature feature : features) {
        if (feature.isVideo()) {
          VideoSpan span = episode.videos().get(feature.key());
          cameras.add(new VideoCamera(feature, span, VideoReader.open(span.file(), span.from())));
        } else {
          columns.add(feature.key());
          cameras.add(new TableCamera(feature, columns.size()));
        }
      }
      Parquet.Rows rows = parquet.rows(episode.data(), columns, "episode_index", episode.index());
      return new EpisodeReader(episode, info, tasks, rows, cameras);
    } catch (RuntimeException e) {
      cameras.forEach(Camera::close);
      throw e;
    }
  }

  @Override
  public boolean hasNext() {
    return next < episode.length();
  }

  /**
   * The next step.
   *
   * @throws DatasetException when it is not there or cannot be decoded
   */
  @Override
  public Step next() {
    if (!hasNext()) {
      throw new NoSuchElementException(episode + " has no more steps");
    }
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
    double timestamp = rows.real(3);
    long task = rows.integer(4);
    if (!tasks.containsKey(task)) {
      throw new DatasetException(
          "%s: %s has task_index %d, which meta/tasks.parquet does not list"
              .formatted(rows.file(), episode, task));
    }
    Map<String, Frame> frames = new LinkedHashMap<>();
    for (Camera camera : cameras) {
      frames.put(LeRobotDataset.cameraName(camera.feature().key()), frame(camera, timestamp));
    }
    Step step =
        new Step(
            next,
            rows.integer(2),
            timestamp,
            tasks.get(task),
            values(5, LeRobotDataset.STATE),
            values(6, LeRobotDataset.ACTION),
            Collections.unmodifiableMap(frames));
    next++;
    checkEnd();
    return step;
  }

  @Override
  public void close() {
    cameras.forEach(Camera::close);
    rows.close();
  }

  private void checkEnd() {
    if (next == episode.length() && rows.next()) {
      throw new DatasetException(
          "%s has more rows of %s than its length, %d"
              .formatted(rows.file(), episode, episode.length()));
    }
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
  private record VideoCamera(Feature feature, VideoSpan span, VideoReader video) implements Camera {
    @Override
    public Frame frame(Parquet.Rows rows, double timestamp) {
      return video.frameAt(span.from() + timestamp);
    }

    @Override
    public void close() {
      video.close();
    }
  }

  /** Frames in the rows themselves. */
  private record TableCamera(Feature feature, int column) implements Camera {
    private static final FrameDecoder DECODER = new FrameDecoder();

    @Override
    public Frame frame(Parquet.Rows rows, double timestamp) {
      try {
        RgbImage image =
            DECODER.decode(new Frame(Frame.Encoding.PNG, 0, 0, rows.imageBytes(column)));
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
