package dev.pi0stream.tests.golden;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.pi0stream.tests.cli.CommandLineRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Everything that LeRobot gave for the golden observations comes out of this policy, too. */
class GoldenVerifyTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path scratch;

  @ParameterizedTest
  @CsvSource({"reference, fp32", "cpu, fp32", "cpu, bf16", "cpu, int8"})
  void everythingInTheFolderPasses(String device, String precision) throws IOException {
    Path json = scratch.resolve("result.json");

    CommandLineRun run =
        CommandLineRun.of(
            "verify",
            "--golden",
            "golden",
            "--device",
            device,
            "--precision",
            precision,
            "--json",
            json.toString());

    JsonNode outcome = JSON.readTree(json.toFile());
    assertThat(failures(outcome)).isEmpty();
    assertThat(run.code()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(outcome.path("failed").asInt()).isZero();
    assertThat(outcome.path("passed").asInt())
        .isEqualTo(outcome.path("results").size())
        .isGreaterThan(tensorsOfCases());
    assertThat(run.out())
        .contains("%d passed, 0 failed".formatted(outcome.path("passed").asInt()))
        .contains("on %s %s in".formatted(device, precision));
    for (JsonNode result : outcome.path("results")) {
      assertThat(result.properties())
          .extracting(Map.Entry::getKey)
          .startsWith("file", "component", "pcc", "maxAbsError", "rmsError", "threshold", "pass");
    }
  }

  private static List<String> failures(JsonNode outcome) {
    List<String> failures = new ArrayList<>();
    for (JsonNode result : outcome.path("results")) {
      if (!result.path("pass").asBoolean()) {
        failures.add(result.toString());
      }
    }
    return failures;
  }

  /** The outputs of all cases, as the manifest lists them. */
  private static int tensorsOfCases() throws IOException {
    JsonNode manifest = JSON.readTree(GoldenCopy.SOURCE.resolve("manifest.json").toFile());
    int count = 0;
    for (String section : List.of("cases", "rtc")) {
      for (JsonNode entry : manifest.path(section)) {
        for (var tensor : entry.path("tensors").properties()) {
          boolean input =
              tensor.getKey().startsWith("raw.")
                  || List.of("noise", "previous").contains(tensor.getKey());
          count += input ? 0 : 1;
        }
      }
    }
    return count;
  }
}
