package dev.pi0stream.job.cli;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Durations as people write them: {@code 20s}, {@code 5m}, {@code 1h30m}, {@code 500ms}. */
final class DurationConverter implements ITypeConverter<Duration> {
  private static final Pattern FORM =
      Pattern.compile("(?:(\\d+)h)?(?:(\\d+)m)?(?:(\\d+)s)?(?:(\\d+)ms)?");

  @Override
  public Duration convert(String value) {
    Matcher form = FORM.matcher(value);
    if (!form.matches()) {
      throw refusal(value);
    }
    try {
      Duration duration =
          Duration.ofHours(part(form, 1))
              .plusMinutes(part(form, 2))
              .plusSeconds(part(form, 3))
              .plusMillis(part(form, 4));
      if (!duration.isPositive()) {
        throw refusal(value);
      }
      return duration;
    } catch (NumberFormatException | ArithmeticException e) {
      throw refusal(value);
    }
  }

  private static long part(Matcher form, int group) {
    return form.group(group) == null ? 0 : Long.parseLong(form.group(group));
  }

  private static TypeConversionException refusal(String value) {
    return new TypeConversionException(
        "'%s' is no duration; expected one such as 20s, 5m or 1h30m".formatted(value));
  }
}
