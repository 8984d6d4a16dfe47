package dev.pi0stream.tests.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BenchCommandTest {
  @TempDir private Path scratch;

  private JsonNode bench(String... options) throws IOException {
    Path json = scratch.resolve("bench.json");
    List<String> arguments = new ArrayList<>(List.of("bench", "--device", "cpu"));
    arguments.addAll(List.of(options));
    arguments.addAll(List.of("--warmup", "1", "--runs", "2", "--json", json.toString()));
    CommandLineRun run = CommandLineRun.of(arguments.toArray(String[]::new));
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains("share of peak", "TFLOP/s", "peak resident");
    return new ObjectMapper().readTree(Files.readString(json));
  }

  @ParameterizedTest
  @ValueSource(strings = {"fp32", "bf16", "int8"})
  void measuresGeneratedWeights(String precision) throws IOException {
    JsonNode result =
        bench("--random-weights", "tiny", "--precision", precision, "--batch", "2", "--steps", "3");

    assertThat(result.path("device").textValue()).isEqualTo("cpu");
    assertThat(result.path("precision").textValue()).isEqualTo(precision);
    assertThat(result.path("cameras").intValue()).isEqualTo(3);
    assertThat(result.path("batch").intValue()).isEqualTo(2);
    assertThat(result.path("steps").intValue()).isEqualTo(3);
    JsonNode stages = result.path("stageMillis");
    double sum = 0;
    for (String stage : List.of("vision", "prefix", "denoise")) {
      assertThat(stages.path(stage).doubleValue()).as(stage).isPositive();
      sum += stages.path(stage).doubleValue();
    }
    double mean = result.path("meanMillis").doubleValue();
    assertThat(sum).isBetween(0.99 * mean, 1.01 * mean);
    assertThat(result.path("p50Millis").doubleValue())
        .isPositive()
        .isLessThanOrEqualTo(result.path("p95Millis").doubleValue());
    assertThat(result.path("teraflops").doubleValue()).isPositive();
    assertThat(result.path("shareOfPeak").doubleValue()).isPositive();
    assertThat(result.path("weightBytes").longValue()).isPositive();
    assertThat(result.has("peakResidentBytes")).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"--state-only, 0, 0, 1", "--one-camera-changed, 1, 1, 1"})
  void computesOnlyWhatHasChanged(String option, int vision, int prefix, int denoise)
      throws IOException {
    JsonNode stages = bench("--random-weights", "tiny", option).path("stageMillis");

    assertThat(stages.path("vision").doubleValue() > 0).isEqualTo(vision == 1);
    assertThat(stages.path("prefix").doubleValue() > 0).isEqualTo(prefix == 1);
    assertThat(stages.path("denoise").doubleValue() > 0).isEqualTo(denoise == 1);
  }

  @Test
  void measuresACheckpoint() throws IOException {
    JsonNode result = bench("--checkpoint", "golden/checkpoints/pi05-tiny", "--cameras", "2");

    assertThat(result.path("cameras").intValue()).isEqualTo(2);
    assertThat(result.path("weights").textValue()).endsWith("pi05-tiny");
  }

  @Test
  void comparesTheFirstVelocityWithAnotherPrecision() throws IOException {
    JsonNode result =
        bench("--random-weights", "tiny", "--precision", "int8", "--against", "fp32");

    assertThat(result.path("against").textValue()).isEqualTo("fp32");
    assertThat(result.path("worstCorrelation").doubleValue()).isBetween(0.99, 1.0);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "bench|Error: Missing required argument",
        "bench --random-weights tiny --checkpoint x|mutually exclusive",
        "bench --random-weights tiny --state-only --one-camera-changed|mutually exclusive",
        "bench --random-weights huge|huge",
        "bench --random-weights tiny --cameras 4|--cameras 4: expected 1 to 3",
        "bench --random-weights tiny --batch 33|--batch 33: expected 1 to 32",
        "bench --random-weights tiny --runs 0|--runs 0: expected at least 1",
        "bench --random-weights tiny --device cpu --against fp64|precision 'fp64'",
        "bench --checkpoint nowhere|nowhere: there is no such folder",
      })
  void refusesWhatItCannotMeasure(String line, String reason) {
    CommandLineRun run = CommandLineRun.of(line.split(" ", -1));

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains(reason);
  }
}
