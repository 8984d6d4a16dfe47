package dev.pi0stream.tests.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.pi0stream.job.evaluation.ErrorFigures;
import dev.pi0stream.job.replay.FrameWindow;
import dev.pi0stream.job.replay.Replay;
import dev.pi0stream.job.replay.ReplayOutputs;
import dev.pi0stream.job.replay.ReplayResult;
import dev.pi0stream.job.replay.ReplaySettings;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.StoredTensor;
import dev.pi0stream.model.engine.Noise;
import dev.pi0stream.operators.dataset.Episode;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import dev.pi0stream.operators.policy.CheckpointLoader;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.LoadedPolicy;
import dev.pi0stream.operators.policy.PolicyLoader;
import dev.pi0stream.operators.replay.LoneIdentity;
import dev.pi0stream.operators.replay.StepIdentity;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The errors that a replay reports are those that LeRobot's policy has on the same frames and
 * noise, which {@code tests/expected/write_expected.py} wrote down: every fifth frame of the
 * shipped episodes.
 */
@Timeout(300)
class LeRobotErrorsITCase {
  private static final Path EXPECTED = Path.of("../tests/expected");
  private static final Path EPISODES = Path.of("../examples/episodes");
  private static final int STRIDE = 5;

  /** LeRobot's noise by the number of the step in the dataset. */
  private static final Map<Long, float[]> NOISE = new HashMap<>();

  /** The number of each episode's first step. */
  private static final Map<Integer, Long> STARTS = new HashMap<>();

  @Test
  void errorsAreThoseOfLeRobot() throws Exception {
    try (Safetensors stored = Safetensors.open(EXPECTED.resolve("lerobot-episodes.safetensors"));
        LeRobotDataset dataset = LeRobotDataset.open(EPISODES)) {
      long[] indices = stored.get("index").longs();
      StoredTensor noise = stored.get("noise");
      float[] all = noise.floats();
      int size = all.length / indices.length;
      for (int row = 0; row < indices.length; row++) {
        NOISE.put(indices[row], Arrays.copyOfRange(all, row * size, (row + 1) * size));
      }
      for (Episode episode : dataset.episodes()) {
        STARTS.put(episode.index(), episode.firstIndex());
      }
    }
    ReplayResult result =
        new Replay(
                new ReplaySettings(
                    EPISODES,
                    new EngineSpec("../examples/checkpoint", "cpu", "fp32", 16),
                    Optional.empty(),
                    0,
                    1,
                    Optional.empty(),
                    new FrameWindow(Optional.empty(), Optional.empty(), STRIDE),
                    Map.of(),
                    Optional.empty(),
                    Duration.ofSeconds(5),
                    Optional.empty(),
                    Optional.empty()),
                ReplayOutputs.none(),
                new LeRobotNoiseLoader(),
                new PrintWriter(Writer.nullWriter()),
                false)
            .execute();
    JsonNode lerobot =
        new ObjectMapper().readTree(EXPECTED.resolve("lerobot-episodes.json").toFile());
    assertThat(result.frames()).isEqualTo(lerobot.get("rows").asLong());
    assertThat(result.chunks()).isEqualTo(result.frames());
    ErrorFigures error = result.evaluation().error().all();
    assertThat(error.count()).isEqualTo(3 * lerobot.get("comparedActions").asLong());
    assertThat(error.meanAbs())
        .isCloseTo(lerobot.get("meanAbsErrorToLogged").asDouble(), within(1e-4));
    int d = 0;
    for (ErrorFigures dimension : result.evaluation().error().dimensions().values()) {
      assertThat(dimension.meanAbs())
          .isCloseTo(lerobot.get("perDimension").get(d++).asDouble(), within(1e-4));
    }
  }

  /** Loads the policy; its noise is LeRobot's for the step. */
  private static final class LeRobotNoiseLoader implements PolicyLoader {
    private static final long serialVersionUID = 1L;

    @Override
    public LoadedPolicy load(EngineSpec spec) throws Exception {
      LoadedPolicy loaded = new CheckpointLoader().load(spec);
      Noise lerobot =
          (id, _) -> {
            StepIdentity step = StepIdentity.of(id.robot(), id.episode(), id.sequence());
            return NOISE.get(STARTS.get(step.episode()) + step.frame()).clone();
          };
      return new LoadedPolicy(loaded.policy(), LoneIdentity.noise(lerobot), loaded.device());
    }
  }
}
