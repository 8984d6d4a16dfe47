package dev.pi0stream.job.evaluation;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;

/**
 * A step at which the policy was far from the log.
 *
 * @param normalisedRmse of the chunk, over all its steps and numbers
 * @param step which action of the chunk is the farthest
 * @param dimension in which number
 * @param predicted that number, robot units
 * @param logged what was logged for it
 * @param critical why the step is critical; empty where it is not
 * @param chunk the whole chunk, horizon × dimensions
 * @param log the actions logged for its steps, as far as the episode goes
 */
public record Moment(
    int episode,
    int frame,
    String task,
    double normalisedRmse,
    int step,
    String dimension,
    float predicted,
    float logged,
    List<CriticalInterval.Kind> critical,
    @JsonIgnore Prediction chunk,
    @JsonIgnore List<float[]> log) {}
