package dev.pi0stream.model.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PolicyConfigTest {
  private static final JsonMapper JSON = new JsonMapper();
  private static final Path PI0 = Path.of("../tests/golden/checkpoints/pi0-tiny/config.json");
  private static final Path PI05 = Path.of("../tests/golden/checkpoints/pi05-tiny/config.json");

  @TempDir Path folder;

  @Test
  void readsLeRobotsForm() {
    PolicyConfig config = PolicyConfig.read(PI05, PolicyType.PI05);

    assertThat(config.origin()).isEqualTo(Origin.LEROBOT);
    assertThat(config.type()).isEqualTo(PolicyType.PI05);
    assertThat(config.cameras()).containsExactly("base_0_rgb", "left_wrist_0_rgb");
    assertThat(config.stateDimension()).isEqualTo(8);
    assertThat(config.actionDimension()).isEqualTo(7);
    assertThat(config.chunkSize()).isEqualTo(20);
    assertThat(config.maxActionDimension()).isEqualTo(32);
    assertThat(config.maxTokens()).isEqualTo(200);
    assertThat(config.imageResolution()).isEqualTo(112);
    assertThat(config.stateNormalization()).isEqualTo(Normalization.QUANTILES);
    assertThat(config.relativeExcludedJoints()).containsExactly("gripper");
    assertThat(config.actionNames()).isEmpty();
  }

  @Test
  void replacesFields() throws IOException {
    PolicyConfig config =
        PolicyConfig.read(PI0, PolicyType.PI0)
            .with(JSON.readTree("{\"empty_cameras\": 2, \"use_relative_actions\": true}"));

    assertThat(config.emptyCameras()).isEqualTo(2);
    assertThat(config.relativeActions()).isTrue();
    assertThat(config.cameras()).hasSize(3);
    assertThatThrownBy(() -> config.with(JSON.readTree("{\"chunk_sise\": 2}")))
        .hasMessage(PI0 + ": there is no field 'chunk_sise' that could be replaced");
  }

  @Test
  void leavesOutCamerasThatAreAlwaysMissing() throws IOException {
    Path file = folder.resolve("config.json");
    Files.writeString(
        file,
        Files.readString(PI0)
            .replace("right_wrist_0_rgb", "empty_camera_0")
            .replace("\"empty_cameras\": 0", "\"empty_cameras\": 1"));

    assertThat(PolicyConfig.read(file, PolicyType.PI0).cameras())
        .containsExactly("base_0_rgb", "left_wrist_0_rgb");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "chunk_size": 32          | "chunk_size": "32"        | field 'chunk_size' is "32"; expected a positive integer
          "chunk_size": 32          | "chunk_size": 0           | field 'chunk_size' is 0; expected a positive integer
          "chunk_size": 32          | "chunk_sizes": 32         | field 'chunk_size' is missing; expected a positive integer
          "chunk_size": 32          | "chunk_size": 31          | n_action_steps is 32; expected at most chunk_size, which is 31
          "type": "pi0"             | "type": "act"             | field 'type' is 'act'; expected one of [pi0, pi05]
          "type": "pi0"             | "kind": "pi0"             | has neither LeRobot's field 'type' nor openpi's field 'action_horizon'
          "max_state_dim": 32       | "max_state_dim": 8        | the state has 14 numbers; expected at most max_state_dim, which is 8
          "max_action_dim": 32      | "max_action_dim": 8       | an action has 14 numbers; expected at most max_action_dim, which is 8
          "min_period": 0.004       | "min_period": 5.0         | min_period is 5.0; expected less than max_period, which is 4.0
          "max_period": 4.0         | "max_period": -4.0        | field 'max_period' is -4.0; expected a positive number
          "empty_cameras": 0        | "empty_cameras": -1       | field 'empty_cameras' is -1; expected an integer from 0
          "STATE": "MEAN_STD"       | "STATE": "MEAN"           | field 'normalization_mapping.STATE' is 'MEAN'; expected one of
          "use_relative_actions": false | "use_relative_actions": 0 | field 'use_relative_actions' is 0; expected true or false
          "action_feature_names": null | "action_feature_names": ["x"] | action_feature_names has 1 names; expected one for each of the 14 dimensions
          "action_feature_names": null | "action_feature_names": [1] | field 'action_feature_names' is [1]; expected a list of texts
          "type": "VISUAL"          | "type": "STATE"           | field 'input_features' has no camera; expected one of type VISUAL
          "type": "pi0",            | "type": "pi0", "type": "pi0", | is not JSON: Duplicate field 'type'
          """)
  void refusesAWrongField(String old, String replacement, String message) throws IOException {
    Path file = folder.resolve("config.json");
    Files.writeString(file, Files.readString(PI0).replace(old, replacement));

    assertThatThrownBy(() -> PolicyConfig.read(file, PolicyType.PI0))
        .isInstanceOf(CheckpointException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(message);
  }

  @Test
  void refusesPicturesThatAreNotSquare() throws IOException {
    Path file = folder.resolve("config.json");
    Files.writeString(file, Files.readString(PI0).replaceFirst("224", "112"));

    assertThatThrownBy(() -> PolicyConfig.read(file, PolicyType.PI0))
        .hasMessageContaining("field 'image_resolution' is [112,224]; expected two equal sides");
  }
}
