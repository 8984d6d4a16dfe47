package dev.pi0stream.model.checkpoint;

/** How a feature is brought to the range that the network was trained on. */
public enum Normalization {
  IDENTITY,
  MEAN_STD,
  MIN_MAX,
  /** By the 1st and 99th percentile. */
  QUANTILES,
  /** By the 10th and 90th percentile. */
  QUANTILE10
}
