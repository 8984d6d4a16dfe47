package dev.pi0stream.model.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.model.Golden;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.text.Prompts.Prompt;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PromptsTest {
  private static final double[] NONE = {};

  private final Tokenizer tokenizer =
      Tokenizer.read(Golden.FOLDER.resolve("checkpoints/pi0-tiny/tokenizer.json"));

  @Test
  void binsEqualLeRobots() {
    for (JsonNode entry : Golden.entries("state_bins")) {
      try (Safetensors tensors = Safetensors.open(Golden.file(entry))) {
        float[] values = tensors.get("in.value").floats();
        long[] bins = tensors.get("out.bin").longs();
        assertThat(values).hasSameSizeAs(bins);
        for (int i = 0; i < values.length; i++) {
          assertThat(StateBins.bin(values[i])).as("bin of %s", values[i]).isEqualTo((int) bins[i]);
        }
      }
    }
  }

  @Test
  void aTinyNegativeNumberIsBelowTheBinThatBeginsAtZero() {
    assertThat(StateBins.bin(0)).isEqualTo(128);
    assertThat(StateBins.bin(-0.0)).isEqualTo(128);
    assertThat(StateBins.bin(-1e-40)).isEqualTo(127);
    assertThat(StateBins.bin(Double.NEGATIVE_INFINITY)).isEqualTo(-1);
    assertThat(StateBins.bin(Double.POSITIVE_INFINITY)).isEqualTo(255);
    assertThat(StateBins.bin(Double.NaN)).isEqualTo(255);
  }

  @Test
  void pi0OfLeRobotEndsInANewlineAndIsNotCleaned() {
    assertThat(PromptFormat.PI0_LEROBOT.text("a", NONE)).isEqualTo("a\n");
    assertThat(PromptFormat.PI0_LEROBOT.text("a\n", NONE)).isEqualTo("a\n");
    assertThat(PromptFormat.PI0_LEROBOT.text("", NONE)).isEqualTo("\n");
    assertThat(PromptFormat.PI0_LEROBOT.text(" a_b ", NONE)).isEqualTo(" a_b \n");
  }

  @Test
  void pi0OfOpenpiIsCleanedAndItsNewlineStandsAlone() {
    assertThat(PromptFormat.PI0_OPENPI.text("\u00a0 a_b\nc \u0085", NONE)).isEqualTo("a b c\n");
    Prompts prompts = new Prompts(tokenizer, PromptFormat.PI0_OPENPI, 48);
    int newline = tokenizer.encode("\n")[1];
    assertThat(prompts.prompt("open_the drawer\n", NONE).tokens())
        .startsWith(tokenizer.encode("open the drawer"))
        .endsWith(newline);
    assertThat(prompts.prompt("", NONE).tokens()).containsExactly(tokenizer.encode("\n"));
  }

  @Test
  void pi05HasItsStateInThePrompt() {
    double[] state = {0, -1, 1, -1.5, 9};
    assertThat(PromptFormat.PI05.text(" a_b\nc ", state))
        .isEqualTo("Task: a b c, State: 128 0 255 -1 255;\nAction: ");
    assertThat(PromptFormat.PI05.text("", new double[] {Double.NaN}))
        .isEqualTo("Task: , State: 255;\nAction: ");
  }

  @Test
  void tooLongAPromptSaysSoAndLosesItsEnd() {
    Prompt prompt =
        new Prompts(tokenizer, PromptFormat.PI0_LEROBOT, 4).prompt("pick up the fork", NONE);
    assertThat(prompt.fits()).isFalse();
    assertThat(prompt.tokens()).hasSizeGreaterThan(4);
    assertThat(prompt.cut()).isEqualTo(Arrays.copyOf(prompt.tokens(), 4)).startsWith(2);
    Prompt whole =
        new Prompts(tokenizer, PromptFormat.PI0_LEROBOT, prompt.tokens().length)
            .prompt("pick up the fork", NONE);
    assertThat(whole.fits()).isTrue();
    assertThat(whole.cut()).isEqualTo(prompt.tokens());
  }

  @Test
  void refusesALimitBelowOne() {
    assertThatThrownBy(() -> new Prompts(tokenizer, PromptFormat.PI05, 0))
        .hasMessage("prompt limit 0: expected 1 or more");
  }
}
