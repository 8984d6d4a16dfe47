package dev.pi0stream.job.cli;

import dev.pi0stream.job.replay.FrameWindow;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A place in an episode, such as {@code 12} or {@code 1.5s}. */
final class MarkConverter implements ITypeConverter<FrameWindow.Mark> {
  @Override
  public FrameWindow.Mark convert(String value) {
    try {
      return FrameWindow.mark(value);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
