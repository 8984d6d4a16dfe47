package dev.pi0stream.model.policy;

/**
 * Sines and cosines of a denoising time, with periods that grow geometrically. openpi's and
 * LeRobot's {@code create_sinusoidal_pos_embedding}: computed in float64 from the float32 time,
 * then rounded.
 *
 * @param width an even number of columns, the sines in the first half
 */
public record TimeEmbedding(int width, double minPeriod, double maxPeriod) {
  public TimeEmbedding {
    if (width < 2 || width % 2 != 0) {
      throw new IllegalArgumentException(
          "a time embedding of width " + width + "; expected a positive even width");
    }
  }

  /** The embedding of a time from 0 (data) to 1 (noise). */
  public float[] at(float time) {
    int half = width / 2;
    float[] row = new float[width];
    for (int i = 0; i < half; i++) {
      double fraction = half == 1 ? 0 : (double) i / (half - 1);
      double period = minPeriod * Math.pow(maxPeriod / minPeriod, fraction);
      double angle = 2 * Math.PI / period * time;
      row[i] = (float) Math.sin(angle);
      row[half + i] = (float) Math.cos(angle);
    }
    return row;
  }
}
