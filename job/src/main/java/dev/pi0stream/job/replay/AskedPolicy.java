package dev.pi0stream.job.replay;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.pi0stream.job.replay.ReplayResult.ReplayedPolicy;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import dev.pi0stream.model.checkpoint.RandomWeights;
import dev.pi0stream.model.processor.Processor;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.RandomWeightsLoader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What has to be known of a policy that is replayed; its weights are the job's business.
 *
 * @param digest of the checkpoint, or what stands for it
 * @param type as its configuration names it
 * @param horizon actions of a chunk
 */
record AskedPolicy(
    EngineSpec engine, Processor processor, String digest, String type, int horizon) {
  /** The policy of some settings. */
  static AskedPolicy of(ReplaySettings settings) {
    return of(settings.engine(), settings.randomWeights());
  }

  /**
   * The policy of an engine.
   *
   * @param size of weights that are made up in place of the checkpoint's
   */
  static AskedPolicy of(EngineSpec engine, Optional<RandomWeights.Size> size) {
    Path folder = Path.of(engine.checkpoint());
    if (size.isPresent()) {
      try (RandomWeights weights = RandomWeightsLoader.weights(size.get(), folder)) {
        return of(engine, weights, folder, RandomWeightsLoader.digest(size.get()));
      }
    }
    try (Checkpoint checkpoint = Checkpoint.open(folder)) {
      return of(engine, checkpoint, folder, checkpoint.id());
    }
  }

  private static AskedPolicy of(
      EngineSpec engine, PolicyWeights weights, Path folder, String digest) {
    return new AskedPolicy(
        engine,
        Processor.open(folder, weights),
        digest,
        weights.config().typeName(),
        weights.config().chunkSize());
  }

  /** What of it and of the settings decides which chunks there are. */
  ObjectNode identity(ReplaySettings settings) {
    return new ObjectMapper()
        .createObjectNode()
        .put("checkpoint", digest)
        .put("device", engine.device())
        .put("precision", engine.precision())
        .put("maxBatch", engine.maxBatch())
        .put("seed", settings.seed())
        .put("samples", settings.samples());
  }

  /** For the result. */
  ReplayedPolicy replayed(long seed) {
    return new ReplayedPolicy(
        engine.checkpoint(), digest, engine.device(), engine.precision(), engine.maxBatch(), seed);
  }

  /** For a person. */
  void describe(PrintWriter out) {
    out.printf("policy      %s (%s), chunks of %d actions%n", engine.checkpoint(), type, horizon);
    out.printf(
        "device      %s, %s, batches of up to %d%n",
        engine.device(), engine.precision(), engine.maxBatch());
  }
}
