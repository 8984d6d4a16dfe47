package dev.pi0stream.job.run;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * Which of a dataset's cameras stands for which of a policy's. Names are without {@code
 * observation.images.}.
 *
 * @param sources the dataset's camera by the policy's; a camera of the policy that is not here is
 *     left missing on purpose
 */
public record CameraMapping(Map<String, String> sources) {
  public CameraMapping {
    sources = Collections.unmodifiableMap(new LinkedHashMap<>(sources));
  }

  /**
   * Maps every camera of a policy: as {@code choices} say, otherwise to the one of the same name.
   *
   * @param choices the dataset's camera by the policy's; an empty name leaves it missing
   * @param names the policy's name of a camera of robots, as its checkpoint renames them
   * @throws IllegalArgumentException one sentence with both lists, when a name is unknown or a
   *     camera of the policy maps to nothing
   */
  public static CameraMapping of(
      List<String> policy,
      List<String> dataset,
      Map<String, String> choices,
      UnaryOperator<String> names) {
    for (Map.Entry<String, String> choice : choices.entrySet()) {
      if (!policy.contains(choice.getKey())) {
        throw refusal(
            "--camera %s=%s: the policy has no such camera"
                .formatted(choice.getKey(), choice.getValue()),
            policy,
            dataset);
      }
      if (!choice.getValue().isEmpty() && !dataset.contains(choice.getValue())) {
        throw refusal(
            "--camera %s=%s: the dataset has no such camera"
                .formatted(choice.getKey(), choice.getValue()),
            policy,
            dataset);
      }
    }
    Map<String, String> sources = new LinkedHashMap<>();
    for (String camera : policy) {
      List<String> alike = dataset.stream().filter(d -> names.apply(d).equals(camera)).toList();
      if (!choices.containsKey(camera) && alike.size() > 1) {
        throw refusal(
            "camera '%s' of the policy could be any of %s: name one with --camera %1$s=NAME"
                .formatted(camera, alike),
            policy,
            dataset);
      }
      String source = choices.getOrDefault(camera, alike.isEmpty() ? null : alike.getFirst());
      if (source == null) {
        throw refusal(
            "camera '%s' of the policy has none of that name in the dataset: name one with --camera %1$s=NAME, or leave it missing with --camera %1$s="
                .formatted(camera),
            policy,
            dataset);
      }
      if (!source.isEmpty()) {
        sources.put(camera, source);
      }
    }
    if (sources.isEmpty()) {
      throw refusal("no camera is left", policy, dataset);
    }
    return new CameraMapping(sources);
  }

  /** The dataset's cameras that are used, each once. */
  public List<String> datasetCameras() {
    return sources.values().stream().distinct().toList();
  }

  /** For people: {@code base ← top, wrist ← wrist}. */
  public String describe() {
    return sources.entrySet().stream()
        .map(entry -> entry.getKey() + " ← " + entry.getValue())
        .collect(Collectors.joining(", "));
  }

  private static IllegalArgumentException refusal(
      String sentence, Collection<String> policy, Collection<String> dataset) {
    return new IllegalArgumentException(
        "%s; the policy's cameras are %s, the dataset's are %s"
            .formatted(sentence, policy, dataset));
  }
}
