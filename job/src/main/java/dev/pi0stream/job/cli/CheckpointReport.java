package dev.pi0stream.job.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.Dimensions;
import dev.pi0stream.model.checkpoint.PolicyConfig;
import dev.pi0stream.model.checkpoint.StoredType;
import dev.pi0stream.model.engine.SelfTest;
import dev.pi0stream.model.processor.Normalizer;
import dev.pi0stream.model.processor.Processor;
import dev.pi0stream.model.processor.Statistics;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What {@code pi0 checkpoint} found. Parts that could not be read are null, and {@code reason} says
 * why.
 *
 * @param servable whether an engine could serve it
 * @param reason one sentence; null where it is servable
 * @param golden the golden observation's file; null for none
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record CheckpointReport(
    String folder,
    boolean servable,
    String reason,
    Network network,
    Weights weights,
    Robot robot,
    String golden) {

  /** The network's shape. */
  record Network(
      String type,
      String origin,
      int chunkSize,
      int inferenceSteps,
      int imageResolution,
      List<String> cameras,
      int emptyCameras,
      Dimensions dimensions) {}

  /**
   * What is stored.
   *
   * @param parameters in the files
   * @param used by inference
   * @param types parameters by type
   * @param unused tensors that belong to the policy and that inference does not need
   * @param surplus tensors that no policy of this type has
   */
  record Weights(
      List<String> files,
      long bytes,
      long parameters,
      long used,
      Map<StoredType, Long> types,
      List<String> unused,
      List<String> surplus) {}

  /** What lies between robot and network. */
  record Robot(
      Feature state,
      Feature actions,
      List<Integer> relativeColumns,
      Map<String, String> renamedCameras,
      int tokenizerEntries,
      int promptTokens) {}

  /**
   * A state or an action.
   *
   * @param dimensions the robot's
   * @param padded the network's
   * @param statistics the names of those that count
   */
  record Feature(int dimensions, int padded, String normalization, List<String> statistics) {
    static Feature of(int dimensions, int padded, Normalizer normalizer) {
      return new Feature(
          dimensions, padded, normalizer.mode().name(), Statistics.names(normalizer.mode()));
    }

    @Override
    public String toString() {
      return "%d, padded to %d, %s%s"
          .formatted(
              dimensions,
              padded,
              normalization,
              statistics.isEmpty() ? "" : " by " + String.join(" and ", statistics));
    }
  }

  static CheckpointReport of(Path folder) {
    return new CheckpointReport(folder.toString(), true, null, null, null, null, null);
  }

  CheckpointReport with(Checkpoint checkpoint) {
    PolicyConfig config = checkpoint.config();
    Network shape =
        new Network(
            config.typeName(),
            config.origin().name().toLowerCase(Locale.ROOT),
            config.chunkSize(),
            config.inferenceSteps(),
            config.imageResolution(),
            config.cameras(),
            config.emptyCameras(),
            checkpoint.dimensions());
    Weights stored =
        new Weights(
            checkpoint.files().stream().map(file -> file.getFileName().toString()).toList(),
            checkpoint.bytes(),
            checkpoint.parameters(),
            checkpoint.usedParameters(),
            checkpoint.types(),
            checkpoint.unused(),
            checkpoint.surplus());
    return new CheckpointReport(folder, servable, reason, shape, stored, robot, golden);
  }

  CheckpointReport with(Processor processor, PolicyConfig config) {
    boolean[] mask = processor.relativeActions().mask();
    List<Integer> relative = new ArrayList<>();
    for (int column = 0; column < mask.length; column++) {
      if (mask[column]) {
        relative.add(column);
      }
    }
    Robot sides =
        new Robot(
            Feature.of(
                processor.stateDimensions(),
                config.maxStateDimension(),
                processor.stateNormalizer()),
            Feature.of(
                processor.actionDimensions(),
                config.maxActionDimension(),
                processor.actionNormalizer()),
            relative,
            processor.renamedCameras(),
            processor.tokenizer().size(),
            processor.promptLimit());
    return new CheckpointReport(folder, servable, reason, network, weights, sides, golden);
  }

  CheckpointReport withGolden(Path checkpoint) {
    Path file = checkpoint.resolve(SelfTest.FILE);
    return new CheckpointReport(
        folder,
        servable,
        reason,
        network,
        weights,
        robot,
        Files.exists(file) ? file.toString() : null);
  }

  CheckpointReport refused(String sentence) {
    return new CheckpointReport(folder, false, sentence, network, weights, robot, golden);
  }

  void print(PrintWriter out) {
    line(out, "checkpoint", folder);
    if (network != null) {
      print(out, network);
    }
    if (weights != null) {
      print(out, weights);
    }
    if (robot != null) {
      print(out, robot);
    }
    if (servable) {
      line(
          out,
          "golden",
          golden == null ? "none; --golden writes one" : golden + ", proved before serving");
    }
    line(out, "servable", servable ? "yes" : "no");
    out.flush();
  }

  private static void print(PrintWriter out, Network network) {
    line(out, "policy", "%s, stored by %s".formatted(network.type, network.origin));
    line(
        out,
        "chunk",
        "%d actions in %d steps".formatted(network.chunkSize, network.inferenceSteps));
    line(
        out,
        "cameras",
        "%s%s at %d × %d"
            .formatted(
                String.join(", ", network.cameras),
                network.emptyCameras == 0
                    ? ""
                    : " and %d that are always missing".formatted(network.emptyCameras),
                network.imageResolution,
                network.imageResolution));
    Dimensions.Vision vision = network.dimensions.vision();
    line(
        out,
        "vision",
        "width %d, %d layers, %d heads, MLP %d, patches of %d in a grid of %d × %d"
            .formatted(
                vision.width(),
                vision.layers(),
                vision.heads(),
                vision.mlp(),
                vision.patch(),
                vision.grid(),
                vision.grid()));
    line(out, "backbone", stack(network.dimensions.language()));
    line(out, "expert", stack(network.dimensions.expert()));
    line(out, "vocabulary", Integer.toString(network.dimensions.vocabulary()));
  }

  private static String stack(Dimensions.Stack stack) {
    return "width %d, %d layers, %d query and %d key/value heads of %d, MLP %d"
        .formatted(
            stack.width(),
            stack.layers(),
            stack.heads().query(),
            stack.heads().keyValue(),
            stack.heads().size(),
            stack.mlp());
  }

  private static void print(PrintWriter out, Weights weights) {
    line(out, "files", String.join(", ", weights.files));
    List<String> types = new ArrayList<>();
    weights.types.forEach(
        (type, count) -> types.add(String.format(Locale.ROOT, "%s %,d", type, count)));
    line(
        out,
        "parameters",
        String.format(
            Locale.ROOT,
            "%,d stored in %,d bytes (%s), %,d used",
            weights.parameters,
            weights.bytes,
            String.join(", ", types),
            weights.used));
    list(out, "unused", weights.unused);
    list(out, "surplus", weights.surplus);
  }

  private static void print(PrintWriter out, Robot robot) {
    line(out, "state", robot.state.toString());
    line(
        out,
        "actions",
        robot.actions
            + (robot.relativeColumns.isEmpty()
                ? ""
                : ", relative to the state in columns " + robot.relativeColumns));
    if (!robot.renamedCameras.isEmpty()) {
      line(out, "renamed", robot.renamedCameras.toString());
    }
    line(
        out,
        "tokenizer",
        "%d entries, prompts of at most %d tokens"
            .formatted(robot.tokenizerEntries, robot.promptTokens));
  }

  private static void list(PrintWriter out, String name, List<String> values) {
    line(out, name, values.isEmpty() ? "none" : "%d tensors".formatted(values.size()));
    for (String value : values) {
      out.println("              " + value);
    }
  }

  private static void line(PrintWriter out, String name, String value) {
    out.println("%-12s  %s".formatted(name, value));
  }
}
