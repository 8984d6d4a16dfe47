package dev.pi0stream.job.replay;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import dev.pi0stream.job.evaluation.EvaluationReport;
import java.util.List;

/**
 * What a replay came to; written as JSON with these names, the evaluation's beside them.
 *
 * @param frames observations that were to be asked: of a dataset those of its whole episodes, of a
 *     recording all that are in it
 * @param chunks answers with actions; with several noise samples a frame has several
 * @param rejected answers without
 * @param superseded observations of a recording that came late or twice
 * @param skippedEpisodes those that cannot be read to their end; nothing else counts them
 * @param firstRejection why the first rejected observation was; null where none was
 * @param evaluation against the log; null for a recording, which has no log to compare with
 * @param throughput null where nothing was computed because the work was done before
 * @param against another policy or precision on the same frames and noise; null without
 * @param againstLog a live job's chunks for the same observations; null without
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ReplayResult(
    long frames,
    long chunks,
    long rejected,
    Long superseded,
    List<SkippedEpisode> skippedEpisodes,
    String firstRejection,
    @JsonUnwrapped EvaluationReport evaluation,
    ReplayedPolicy policy,
    Throughput throughput,
    Against against,
    ChunkDifference againstLog) {

  /**
   * An episode that is not whole.
   *
   * @param reason one sentence
   */
  public record SkippedEpisode(int episode, String reason) {}

  /**
   * What was asked.
   *
   * @param checkpoint folder
   * @param digest of its weights and configuration
   */
  public record ReplayedPolicy(
      String checkpoint, String digest, String device, String precision, int maxBatch, long seed) {}

  /**
   * How fast it was.
   *
   * @param seconds from the moment the job ran to its end
   * @param chunksPerSecond in them
   * @param engineShare of them in which the device was busy
   */
  public record Throughput(double seconds, double chunksPerSecond, double engineShare) {}

  /**
   * Another policy or precision.
   *
   * @param difference of its chunks to those of the first
   */
  public record Against(
      ReplayedPolicy policy,
      @JsonUnwrapped EvaluationReport evaluation,
      ChunkDifference difference) {}
}
