package dev.pi0stream.job.evaluation;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.util.List;
import java.util.Map;

/**
 * How far chunks are from the log: action k of the chunk for step t against the action logged at t
 * + k, for k within the episode. Written as JSON with these names.
 *
 * @param all over everything
 * @param chunkNormalisedRmse over the chunks, each with the root mean square of its normalised
 *     differences
 * @param groups by joint group
 * @param dimensions by number of the action
 * @param steps by step of the horizon, the first one first
 * @param groupSteps by joint group and step of the horizon
 * @param critical on critical intervals, by kind
 */
public record ErrorReport(
    @JsonUnwrapped ErrorFigures all,
    Ranks chunkNormalisedRmse,
    Map<String, ErrorFigures> groups,
    Map<String, ErrorFigures> dimensions,
    List<ErrorFigures> steps,
    Map<String, List<ErrorFigures>> groupSteps,
    Map<CriticalInterval.Kind, CriticalFigures> critical) {}
