package dev.pi0stream.operators.dataset;

import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;

/**
 * One column of a dataset, as {@code meta/info.json} declares it.
 *
 * @param key such as {@code action} or {@code observation.images.top}
 * @param dtype such as {@code float32}; {@code video} and {@code image} are camera frames
 * @param shape of one row's value
 * @param names of the dimensions of the value or, for frames, of the axes; empty when not given
 * @param depth whether the frames are distances, not colours
 */
public record Feature(
    String key, String dtype, List<Integer> shape, List<String> names, boolean depth) {
  public Feature {
    Objects.requireNonNull(key, "key");
    Objects.requireNonNull(dtype, "dtype");
    shape = List.copyOf(shape);
    names = List.copyOf(names);
  }

  /** Whether the values are camera frames in video files. */
  public boolean isVideo() {
    return dtype.equals("video");
  }

  /** Whether the values are camera frames in the tables. */
  public boolean isImage() {
    return dtype.equals("image");
  }

  /** How many numbers a row holds. */
  public int size() {
    return shape.stream().reduce(1, Math::multiplyExact);
  }

  /** The frames' size along the axis {@code height} or {@code width}, if the names tell it. */
  OptionalInt axis(String name) {
    int at = names.indexOf(name);
    return at < 0 || at >= shape.size() ? OptionalInt.empty() : OptionalInt.of(shape.get(at));
  }
}
