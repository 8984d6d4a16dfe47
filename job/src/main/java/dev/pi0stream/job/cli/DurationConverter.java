package dev.pi0stream.job.cli;

import dev.pi0stream.job.configuration.Durations;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Durations as people write them: {@code 20s}, {@code 5m}, {@code 1h30m}, {@code 500ms}. */
final class DurationConverter implements ITypeConverter<Duration> {
  @Override
  public Duration convert(String value) {
    return Durations.parse(value)
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "'%s' is no duration; expected one such as 20s, 5m or 1h30m".formatted(value)));
  }
}
