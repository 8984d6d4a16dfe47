package dev.pi0stream.model.image;

import java.util.Objects;

/**
 * A camera frame as the robot sent it.
 *
 * @param width columns of an {@link Encoding#RGB8} frame; 0 where the data says it itself
 * @param height rows of an {@link Encoding#RGB8} frame; 0 where the data says it itself
 */
public record Frame(Encoding encoding, int width, int height, byte[] data) {
  /** What the bytes of a frame are. */
  public enum Encoding {
    /** Rows of pixels of three bytes, red, green and blue, without gaps. */
    RGB8,
    JPEG,
    PNG
  }

  public Frame {
    Objects.requireNonNull(encoding, "encoding");
    Objects.requireNonNull(data, "data");
  }

  /** A frame of raw pixels. */
  public static Frame rgb(int width, int height, byte[] data) {
    return new Frame(Encoding.RGB8, width, height, data);
  }
}
