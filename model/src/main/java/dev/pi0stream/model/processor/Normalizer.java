package dev.pi0stream.model.processor;

import dev.pi0stream.model.checkpoint.Normalization;

/**
 * Brings numbers of the robot to the range that the network knows, and back. Rows follow each other
 * without gaps; every column has its own statistics. Nothing is clipped.
 */
public sealed interface Normalizer permits LeRobotNormalizer, OpenpiNormalizer {
  /** Which statistics count, and how. */
  Normalization mode();

  /** How many columns have statistics. */
  int columns();

  /**
   * From the robot's units to the network's.
   *
   * @param values rows × columns
   * @param columns numbers of a row
   */
  double[] normalise(double[] values, int columns);

  /**
   * From the network's units to the robot's.
   *
   * @param values rows × columns
   * @param columns numbers of a row
   */
  double[] unnormalise(double[] values, int columns);
}
