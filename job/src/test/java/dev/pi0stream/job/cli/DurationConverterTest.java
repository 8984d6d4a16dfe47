package dev.pi0stream.job.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class DurationConverterTest {
  private final DurationConverter converter = new DurationConverter();

  @ParameterizedTest
  @CsvSource({"20s,PT20S", "5m,PT5M", "1h30m,PT90M", "500ms,PT0.5S", "1m5s,PT65S"})
  void readsWhatPeopleWrite(String text, String duration) {
    assertThat(converter.convert(text)).isEqualTo(Duration.parse(duration));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "20", "s", "-1s", "0s", "1.5s", "5m1h", "99999999999999999999s", "forever"})
  void refusesEverythingElse(String text) {
    assertThatThrownBy(() -> converter.convert(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessage("'%s' is no duration; expected one such as 20s, 5m or 1h30m".formatted(text));
  }

  @Test
  void hoursThatDoNotFitAreRefused() {
    assertThatThrownBy(() -> converter.convert(Long.MAX_VALUE + "h"))
        .isInstanceOf(TypeConversionException.class);
  }
}
