package dev.pi0stream.job.cli;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** Which camera of a dataset is which of a policy; taken in by {@code @Mixin}. */
final class CameraOptions {
  @Option(
      names = "--camera",
      paramLabel = "MODEL_NAME=DATASET_NAME",
      description =
          "Which camera of the dataset is which of the policy, without observation.images.; may be"
              + " given several times. Equal names need none; an empty DATASET_NAME leaves the"
              + " camera missing.")
  private Map<String, String> names = new LinkedHashMap<>();

  /** The dataset's camera by the policy's, in the order given. */
  Map<String, String> names() {
    return Collections.unmodifiableMap(names);
  }
}
