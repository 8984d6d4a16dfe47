package dev.pi0stream.job.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class CameraMappingTest {
  private static final List<String> POLICY = List.of("base", "wrist");
  private static final List<String> DATASET = List.of("wrist", "top", "side");

  @Test
  void namesThatAreEqualMapByThemselves() {
    CameraMapping mapping = mapping(POLICY, DATASET, Map.of("base", "top"));
    assertThat(mapping.sources()).containsExactly(entry("base", "top"), entry("wrist", "wrist"));
    assertThat(mapping.datasetCameras()).containsExactly("top", "wrist");
    assertThat(mapping.describe()).isEqualTo("base ← top, wrist ← wrist");
  }

  @Test
  void camerasMayBeSwapped() {
    CameraMapping mapping =
        mapping(List.of("top", "wrist"), DATASET, Map.of("top", "wrist", "wrist", "top"));
    assertThat(mapping.sources()).containsExactly(entry("top", "wrist"), entry("wrist", "top"));
  }

  @Test
  void anEmptyNameLeavesACameraMissing() {
    CameraMapping mapping = mapping(POLICY, DATASET, Map.of("base", ""));
    assertThat(mapping.sources()).containsExactly(entry("wrist", "wrist"));
    assertThatThrownBy(() -> mapping(POLICY, DATASET, Map.of("base", "", "wrist", "")))
        .hasMessageContaining("no camera is left");
  }

  @Test
  void aCameraThatMapsToNothingIsRefusedWithBothLists() {
    assertThatThrownBy(() -> mapping(POLICY, DATASET, Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("camera 'base' of the policy")
        .hasMessageContaining("[base, wrist]")
        .hasMessageContaining("[wrist, top, side]");
  }

  @Test
  void theCheckpointsOwnNamesAreFollowed() {
    UnaryOperator<String> renamed = name -> name.equals("top") ? "base" : name;
    assertThat(CameraMapping.of(POLICY, DATASET, Map.of(), renamed).sources())
        .containsExactly(entry("base", "top"), entry("wrist", "wrist"));
    List<String> both = List.of("base", "top", "wrist");
    assertThatThrownBy(() -> CameraMapping.of(POLICY, both, Map.of(), renamed))
        .hasMessageStartingWith("camera 'base' of the policy could be any of [base, top]");
    assertThat(CameraMapping.of(POLICY, both, Map.of("base", "base"), renamed).sources())
        .containsEntry("base", "base");
  }

  @Test
  void unknownNamesAreRefusedWithBothLists() {
    assertThatThrownBy(() -> mapping(POLICY, DATASET, Map.of("head", "top")))
        .hasMessageStartingWith("--camera head=top: the policy has no such camera")
        .hasMessageContaining("[base, wrist]")
        .hasMessageContaining("[wrist, top, side]");
    assertThatThrownBy(() -> mapping(POLICY, DATASET, Map.of("base", "head")))
        .hasMessageStartingWith("--camera base=head: the dataset has no such camera")
        .hasMessageContaining("[base, wrist]")
        .hasMessageContaining("[wrist, top, side]");
  }

  private static CameraMapping mapping(
      List<String> policy, List<String> dataset, Map<String, String> choices) {
    return CameraMapping.of(policy, dataset, choices, UnaryOperator.identity());
  }
}
