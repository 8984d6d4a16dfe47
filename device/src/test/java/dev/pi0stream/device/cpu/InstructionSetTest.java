package dev.pi0stream.device.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Processors that lack what this one has, as far as oneDNN can pretend. */
class InstructionSetTest {
  private static final Map<String, Double> LARGEST_ERROR =
      Map.of("fp32", 1e-5, "bf16", 0.1, "int8", 0.5);

  @ParameterizedTest
  @ValueSource(strings = {"AVX2", "AVX512_CORE", "AVX512_CORE_VNNI", "DEFAULT"})
  void everyProcessorComputesOrSaysWhatItCannot(String instructionSet)
      throws IOException, InterruptedException {
    Map<String, String> outcomes = probe(instructionSet);

    assertThat(outcomes).containsOnlyKeys("fp32", "bf16", "int8");
    outcomes.forEach(
        (precision, outcome) -> {
          if (outcome.startsWith("refused")) {
            assertThat(precision).isNotEqualTo("fp32");
            assertThat(outcome).contains("cannot multiply in " + precision).contains("choose fp32");
          } else {
            assertThat(Double.parseDouble(outcome))
                .as(precision)
                .isLessThan(LARGEST_ERROR.get(precision));
          }
        });
  }

  private static Map<String, String> probe(String instructionSet)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            InstructionSetProbe.class.getName());
    builder.environment().put("ONEDNN_MAX_CPU_ISA", instructionSet);
    builder.redirectError(ProcessBuilder.Redirect.INHERIT);
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out).isZero();
    Function<String, String> first = line -> line.substring(0, line.indexOf(' '));
    return List.of(out.split("\n", -1)).stream()
        .filter(line -> !line.isEmpty())
        .collect(Collectors.toMap(first, line -> line.substring(line.indexOf(' ') + 1)));
  }
}
