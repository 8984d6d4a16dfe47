package dev.pi0stream.model.processor;

import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.checkpoint.Normalization;
import dev.pi0stream.model.checkpoint.PolicyConfig;
import dev.pi0stream.model.checkpoint.PolicyType;
import dev.pi0stream.model.image.ResizeWithPad;
import dev.pi0stream.model.text.PromptFormat;
import dev.pi0stream.model.text.Prompts;
import dev.pi0stream.model.text.Tokenizer;
import java.nio.file.Path;
import java.util.Map;

/**
 * The conventions of a checkpoint of openpi ({@code transforms.py}, {@code policy_config.py}): the
 * statistics below {@code assets/}, whose lengths are those of the robot's state and actions.
 * Whether actions are relative is said by openpi's training configuration alone, which a checkpoint
 * does not have: here they are absolute.
 */
final class OpenpiConventions {
  private OpenpiConventions() {}

  static Processor.Conventions read(Path folder, PolicyConfig config, String asset) {
    boolean pi0 = config.type() == PolicyType.PI0;
    Tokenizer tokenizer = Tokenizer.read(folder.resolve("tokenizer.json"));
    Statistics statistics = Statistics.ofOpenpi(Statistics.findOpenpi(folder, asset));
    Normalizer state =
        normalizer(statistics, "state", config.stateNormalization(), config.maxStateDimension());
    Normalizer actions =
        normalizer(
            statistics, "actions", config.actionNormalization(), config.maxActionDimension());
    return new Processor.Conventions(
        Map.of(),
        ResizeWithPad.OPENPI,
        new Prompts(
            tokenizer, pi0 ? PromptFormat.PI0_OPENPI : PromptFormat.PI05, config.maxTokens()),
        state,
        actions,
        RelativeActions.NONE,
        state.columns(),
        actions.columns(),
        false);
  }

  private static Normalizer normalizer(
      Statistics statistics, String feature, Normalization mode, int width) {
    Statistics.Range range = statistics.range(feature, mode);
    if (range.low().length < 1 || range.low().length > width) {
      throw new CheckpointException(
          "%s: the statistics of %s have %d numbers; expected 1 to %d, the network's width"
              .formatted(statistics.file(), feature, range.low().length, width));
    }
    return new OpenpiNormalizer(mode == Normalization.QUANTILES, range.low(), range.high());
  }
}
