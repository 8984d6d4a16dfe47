package dev.pi0stream.job.replay;

import dev.pi0stream.operators.dataset.StepRange;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which steps of each episode are replayed.
 *
 * @param from the first; empty for the episode's first
 * @param to beyond the last; empty for the episode's end
 * @param stride every how many steps
 */
public record FrameWindow(Optional<Mark> from, Optional<Mark> to, int stride) {
  private static final double NANOS_PER_SECOND = 1e9;

  /** Beyond the rounding of times that are multiples of a step. */
  private static final double ROUNDING = 1e-6;

  /** All steps. */
  public static final FrameWindow ALL = new FrameWindow(Optional.empty(), Optional.empty(), 1);

  public FrameWindow {
    if (stride < 1) {
      throw new IllegalArgumentException("stride is %d: expected 1 or more".formatted(stride));
    }
  }

  /** A place in an episode. */
  public sealed interface Mark {
    /** The first step that is not before it. */
    int frame(double fps);
  }

  /** A step by its number. */
  public record Frame(int number) implements Mark {
    public Frame {
      if (number < 0) {
        throw new IllegalArgumentException("frame %d: expected 0 or more".formatted(number));
      }
    }

    @Override
    public int frame(double fps) {
      return number;
    }
  }

  /** A time since the episode's start. */
  public record Time(Duration sinceStart) implements Mark {
    @Override
    public int frame(double fps) {
      double steps = sinceStart.toNanos() / NANOS_PER_SECOND * fps;
      return (int) Math.min(Integer.MAX_VALUE, Math.ceil(steps - ROUNDING));
    }
  }

  private static final Pattern TIME = Pattern.compile("(\\d+(?:\\.\\d+)?)(ms|s|m)");

  /**
   * A mark as people write it: {@code 12} for a step, {@code 1.5s}, {@code 300ms} or {@code 2m} for
   * a time.
   *
   * @throws IllegalArgumentException when it is neither
   */
  public static Mark mark(String text) {
    Matcher time = TIME.matcher(text);
    if (time.matches()) {
      double unit =
          switch (time.group(2)) {
            case "ms" -> 1e6;
            case "s" -> NANOS_PER_SECOND;
            default -> 60 * NANOS_PER_SECOND;
          };
      return new Time(Duration.ofNanos(Math.round(Double.parseDouble(time.group(1)) * unit)));
    }
    if (text.matches("\\d{1,9}")) {
      return new Frame(Integer.parseInt(text));
    }
    throw new IllegalArgumentException(
        "'%s' is no place in an episode: expected a frame such as 12 or a time such as 1.5s"
            .formatted(text));
  }

  /** The steps at a rate. */
  StepRange steps(double fps) {
    int first = from.map(mark -> mark.frame(fps)).orElse(0);
    int beyond = to.map(mark -> mark.frame(fps)).orElse(Integer.MAX_VALUE);
    if (beyond < first) {
      throw new IllegalArgumentException(
          "--from is frame %d and --to is frame %d: expected a --to that is not before"
              .formatted(first, beyond));
    }
    return new StepRange(first, beyond, stride);
  }
}
