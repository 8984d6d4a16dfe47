package dev.pi0stream.job.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LatenciesTest {
  @Test
  void percentilesAreNearestRanks() {
    Latencies latencies = new Latencies();
    for (int i = 2000; i > 0; i--) {
      latencies.add(i * 1000L);
    }
    assertThat(latencies.size()).isEqualTo(2000);
    assertThat(latencies.since(0)).isEqualTo(new Latencies.Percentiles(1000.0, 1900.0, 1980.0));
    assertThat(latencies.since(1999)).isEqualTo(new Latencies.Percentiles(1.0, 1.0, 1.0));
  }

  @Test
  void nothingMeasuredHasNoPercentiles() {
    assertThat(new Latencies().since(0)).isEqualTo(new Latencies.Percentiles(null, null, null));
    assertThat(new Latencies().since(7)).isEqualTo(new Latencies.Percentiles(null, null, null));
  }
}
