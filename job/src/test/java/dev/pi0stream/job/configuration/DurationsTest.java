package dev.pi0stream.job.configuration;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DurationsTest {
  @ParameterizedTest
  @ValueSource(strings = {"1ms", "20s", "1m", "1h30m", "25h", "2h1ms"})
  void whatIsWrittenIsReadAgain(String text) {
    Duration duration = Durations.parse(text).orElseThrow();

    assertThat(Durations.format(duration)).isEqualTo(text);
  }
}
