package dev.pi0stream.job.evaluation;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;

/**
 * The errors along an episode.
 *
 * @param normalisedRmse over all its chunks
 * @param frames the steps that were asked
 * @param errors for each of them the root mean square of the normalised differences
 * @param critical where it matters most
 */
public record EpisodeErrors(
    int episode,
    String task,
    int length,
    Double normalisedRmse,
    Double meanAbs,
    @JsonIgnore int[] frames,
    @JsonIgnore float[] errors,
    @JsonIgnore List<CriticalInterval> critical) {}
