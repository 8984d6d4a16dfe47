package dev.pi0stream.job.evaluation;

/**
 * Differences in figures; null where nothing was compared. Written as JSON with these names.
 *
 * @param count numbers compared
 * @param meanAbs mean of the absolute differences, robot units
 * @param rmse root of their mean square, robot units
 * @param max the largest, robot units
 * @param normalisedMeanAbs mean of the absolute differences, each divided by the standard deviation
 *     of its dimension in the log; dimensions that never change are left out
 * @param normalisedRmse root of the mean square of the same
 */
public record ErrorFigures(
    long count,
    Double meanAbs,
    Double rmse,
    Double max,
    Double normalisedMeanAbs,
    Double normalisedRmse) {}
