package dev.pi0stream.job.configuration;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NearestNameTest {
  @ParameterizedTest
  @CsvSource({
    "'', '', 0",
    "device, device, 0",
    "'', abc, 3",
    "abc, '', 3",
    "devise, device, 1",
    "device, devices, 1",
    "deivce, device, 1",
    "kitten, sitting, 3",
    "ca, abc, 3"
  })
  void slipsAreCounted(String one, String other, int distance) {
    assertThat(NearestName.distance(one, other)).isEqualTo(distance);
    assertThat(NearestName.distance(other, one)).isEqualTo(distance);
  }

  @Test
  void aNameInTheWrongSectionIsFound() {
    List<String> known = List.of("job.timeout", "policy.device", "kafka.start");

    assertThat(NearestName.of("kafka.device", known)).isEqualTo("policy.device");
    assertThat(NearestName.of("time-out", known)).isEqualTo("job.timeout");
    assertThat(NearestName.of("kafka.strat", known)).isEqualTo("kafka.start");
  }
}
