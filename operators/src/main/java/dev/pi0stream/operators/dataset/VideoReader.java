package dev.pi0stream.operators.dataset;

import static org.bytedeco.ffmpeg.global.avcodec.av_packet_alloc;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_free;
import static org.bytedeco.ffmpeg.global.avcodec.av_packet_unref;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_alloc_context3;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_find_decoder;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_flush_buffers;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_free_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_get_name;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_open2;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_parameters_to_context;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_receive_frame;
import static org.bytedeco.ffmpeg.global.avcodec.avcodec_send_packet;
import static org.bytedeco.ffmpeg.global.avformat.AVSEEK_FLAG_BACKWARD;
import static org.bytedeco.ffmpeg.global.avformat.av_find_best_stream;
import static org.bytedeco.ffmpeg.global.avformat.av_find_input_format;
import static org.bytedeco.ffmpeg.global.avformat.av_read_frame;
import static org.bytedeco.ffmpeg.global.avformat.av_seek_frame;
import static org.bytedeco.ffmpeg.global.avformat.avformat_close_input;
import static org.bytedeco.ffmpeg.global.avformat.avformat_find_stream_info;
import static org.bytedeco.ffmpeg.global.avformat.avformat_open_input;
import static org.bytedeco.ffmpeg.global.avutil.AVCOL_RANGE_JPEG;
import static org.bytedeco.ffmpeg.global.avutil.AVERROR_EOF;
import static org.bytedeco.ffmpeg.global.avutil.AVMEDIA_TYPE_VIDEO;
import static org.bytedeco.ffmpeg.global.avutil.AV_LOG_FATAL;
import static org.bytedeco.ffmpeg.global.avutil.AV_NOPTS_VALUE;
import static org.bytedeco.ffmpeg.global.avutil.AV_PIX_FMT_RGB24;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_alloc;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_free;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_get_buffer;
import static org.bytedeco.ffmpeg.global.avutil.av_frame_unref;
import static org.bytedeco.ffmpeg.global.avutil.av_log_set_level;
import static org.bytedeco.ffmpeg.global.avutil.av_q2d;
import static org.bytedeco.ffmpeg.global.avutil.av_strerror;
import static org.bytedeco.ffmpeg.global.swscale.SWS_BILINEAR;
import static org.bytedeco.ffmpeg.global.swscale.sws_freeContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_getCachedContext;
import static org.bytedeco.ffmpeg.global.swscale.sws_getCoefficients;
import static org.bytedeco.ffmpeg.global.swscale.sws_scale;
import static org.bytedeco.ffmpeg.global.swscale.sws_setColorspaceDetails;

import dev.pi0stream.model.image.Frame;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.ffmpeg.avcodec.AVCodec;
import org.bytedeco.ffmpeg.avcodec.AVCodecContext;
import org.bytedeco.ffmpeg.avcodec.AVPacket;
import org.bytedeco.ffmpeg.avformat.AVFormatContext;
import org.bytedeco.ffmpeg.avformat.AVStream;
import org.bytedeco.ffmpeg.avutil.AVDictionary;
import org.bytedeco.ffmpeg.avutil.AVFrame;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.ffmpeg.swscale.SwsContext;
import org.bytedeco.ffmpeg.swscale.SwsFilter;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Frames of an MP4 file in the order of their times, as raw RGB, decoded and converted by FFmpeg.
 *
 * <p>The conversion from YUV is swscale's default (bilinear), which is also what PyAV and so
 * LeRobot use; the colour matrix and range are those that the frame names, ITU-R BT.601 in limited
 * range where it names none.
 */
final class VideoReader implements AutoCloseable {
  /** How far a frame may be from the time asked for, as LeRobot's {@code tolerance_s}. */
  private static final double TOLERANCE_SECONDS = 1e-4;

  /** From how long a gap on a key frame is looked for; they are closer to each other than this. */
  private static final double JUMP_SECONDS = 2;

  /** swscale's unit for brightness, contrast and saturation. */
  private static final int ONE = 1 << 16;

  static {
    // What goes wrong is told by exceptions.
    av_log_set_level(AV_LOG_FATAL);
  }

  private final Path file;
  private final AVFormatContext container = new AVFormatContext(null);
  private final AVPacket packet = av_packet_alloc();
  private final AVFrame decoded = av_frame_alloc();
  private final AVFrame converted = av_frame_alloc();
  private AVCodecContext decoder;
  private SwsContext converter;
  private int stream;
  private double secondsPerTick;
  private double time = Double.NEGATIVE_INFINITY;

  /** Where it was last entered, and the time of the first frame from there on. */
  private double entered = Double.NEGATIVE_INFINITY;

  private double first = Double.POSITIVE_INFINITY;
  private boolean draining;
  private boolean closed;

  private VideoReader(Path file) {
    this.file = file;
  }

  /**
   * Opens a file and goes to the key frame at or before a time.
   *
   * @param seconds where the first frame that will be asked for is
   */
  static VideoReader open(Path file, double seconds) {
    VideoReader reader = new VideoReader(file);
    try {
      reader.openContainer();
      reader.openDecoder();
      reader.seek(seconds);
      return reader;
    } catch (RuntimeException e) {
      reader.close();
      throw e;
    }
  }

  /**
   * The frame at a time; times that are asked for do not go back. What lies between is decoded, or
   * jumped over where it is long.
   *
   * @throws DatasetException when no frame is there, or the file is broken
   */
  Frame frameAt(double seconds) {
    if (seconds - Math.max(time, entered) > JUMP_SECONDS) {
      seek(seconds);
    }
    boolean more = advanceTo(seconds);
    // Where pictures are not stored in the order of their times, the key frame that FFmpeg finds
    // for
    // a time may come after it: then it is looked for farther back.
    for (double back = JUMP_SECONDS;
        first > seconds + TOLERANCE_SECONDS && entered > 0;
        back *= 2) {
      seek(Math.max(0, seconds - back));
      more = advanceTo(seconds);
    }
    if (!more) {
      throw new DatasetException(
          "%s has no frame at %.4f s: %s"
              .formatted(
                  file,
                  seconds,
                  Double.isFinite(time) ? "it ends after %.4f s".formatted(time) : "it is empty"));
    }
    if (time > seconds + TOLERANCE_SECONDS) {
      throw new DatasetException(
          "%s has no frame at %.4f s: the next one is at %.4f s".formatted(file, seconds, time));
    }
    return convert();
  }

  /** Decodes up to a time; false where the file ends before it. */
  private boolean advanceTo(double seconds) {
    while (time < seconds - TOLERANCE_SECONDS) {
      if (!decodeNext()) {
        return false;
      }
      first = Math.min(first, time);
    }
    return true;
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    sws_freeContext(converter);
    av_frame_free(converted);
    av_frame_free(decoded);
    av_packet_free(packet);
    if (decoder != null) {
      avcodec_free_context(decoder);
    }
    avformat_close_input(container);
  }

  private void openContainer() {
    if (!Files.isRegularFile(file)) {
      throw new DatasetException(file + " is not there");
    }
    // Naming the container keeps FFmpeg from guessing formats that refer to other files.
    check(
        avformat_open_input(
            container, "file:" + file, av_find_input_format("mp4"), (AVDictionary) null),
        "is no readable MP4 file");
    check(
        avformat_find_stream_info(container, (PointerPointer<?>) null), "has no readable streams");
    stream =
        check(
            av_find_best_stream(container, AVMEDIA_TYPE_VIDEO, -1, -1, (PointerPointer<?>) null, 0),
            "has no video stream");
    secondsPerTick = av_q2d(videoStream().time_base());
  }

  private void openDecoder() {
    int codecId = videoStream().codecpar().codec_id();
    AVCodec codec = avcodec_find_decoder(codecId);
    if (codec == null) {
      throw new DatasetException(
          "%s is encoded as %s, for which there is no decoder"
              .formatted(file, avcodec_get_name(codecId).getString()));
    }
    decoder = avcodec_alloc_context3(codec);
    check(
        avcodec_parameters_to_context(decoder, videoStream().codecpar()),
        "has parameters that its decoder does not take");
    // Fleets of robots are played at once, a decoder for each camera: one thread each is enough.
    decoder.thread_count(1);
    check(avcodec_open2(decoder, codec, (AVDictionary) null), "cannot be decoded");
  }

  private void seek(double seconds) {
    long ticks = Math.round(seconds / secondsPerTick);
    check(
        av_seek_frame(container, stream, ticks, AVSEEK_FLAG_BACKWARD),
        "cannot be read from %.4f s on".formatted(seconds));
    avcodec_flush_buffers(decoder);
    draining = false;
    entered = seconds;
    time = Double.NEGATIVE_INFINITY;
    first = Double.POSITIVE_INFINITY;
  }

  private AVStream videoStream() {
    return container.streams(stream);
  }

  /** Decodes one more frame into {@link #decoded}; false at the end of the file. */
  private boolean decodeNext() {
    while (true) {
      av_frame_unref(decoded);
      int received = avcodec_receive_frame(decoder, decoded);
      if (received == 0) {
        long ticks = decoded.best_effort_timestamp();
        if (ticks == AV_NOPTS_VALUE) {
          throw new DatasetException(file + " has a frame without a time");
        }
        time = ticks * secondsPerTick;
        return true;
      }
      if (received == AVERROR_EOF) {
        return false;
      }
      if (received != avutil.AVERROR_EAGAIN()) {
        check(received, "cannot be decoded");
      }
      feed();
    }
  }

  /** Gives the decoder the next packet of the stream, or the news that there is none. */
  private void feed() {
    while (true) {
      av_packet_unref(packet);
      int read = av_read_frame(container, packet);
      if (read == AVERROR_EOF && !draining) {
        draining = true;
        check(avcodec_send_packet(decoder, null), "cannot be decoded");
        return;
      }
      check(read, "cannot be read");
      if (packet.stream_index() == stream) {
        check(avcodec_send_packet(decoder, packet), "cannot be decoded");
        return;
      }
    }
  }

  private Frame convert() {
    int width = decoded.width();
    int height = decoded.height();
    converter =
        sws_getCachedContext(
            converter,
            width,
            height,
            decoded.format(),
            width,
            height,
            AV_PIX_FMT_RGB24,
            SWS_BILINEAR,
            (SwsFilter) null,
            null,
            (DoublePointer) null);
    if (converter == null) {
      throw new DatasetException(
          "%s has frames of a pixel format that cannot become RGB".formatted(file));
    }
    sws_setColorspaceDetails(
        converter,
        sws_getCoefficients(decoded.colorspace()),
        decoded.color_range() == AVCOL_RANGE_JPEG ? 1 : 0,
        sws_getCoefficients(decoded.colorspace()),
        1,
        0,
        ONE,
        ONE);
    if (converted.width() != width || converted.height() != height) {
      av_frame_unref(converted);
      converted.format(AV_PIX_FMT_RGB24);
      converted.width(width);
      converted.height(height);
      check(av_frame_get_buffer(converted, 0), "has frames too large for memory");
    }
    check(
        sws_scale(
            converter,
            decoded.data(),
            decoded.linesize(),
            0,
            height,
            converted.data(),
            converted.linesize()),
        "has frames that cannot become RGB");
    return Frame.rgb(width, height, pixels(width, height));
  }

  /** The converted frame without the gaps that FFmpeg leaves between rows. */
  private byte[] pixels(int width, int height) {
    int row = width * 3;
    int stride = converted.linesize(0);
    byte[] pixels = new byte[Math.multiplyExact(row, height)];
    BytePointer source = new BytePointer(converted.data(0)).capacity((long) stride * height);
    for (int y = 0; y < height; y++) {
      source.position((long) y * stride).get(pixels, y * row, row);
    }
    return pixels;
  }

  private int check(int code, String sentence) {
    if (code < 0) {
      byte[] reason = new byte[256];
      av_strerror(code, reason, reason.length);
      int end = 0;
      while (end < reason.length && reason[end] != 0) {
        end++;
      }
      throw new DatasetException(
          "%s %s: %s"
              .formatted(file, sentence, new String(reason, 0, end, StandardCharsets.UTF_8)));
    }
    return code;
  }
}
