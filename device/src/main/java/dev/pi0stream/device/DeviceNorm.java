package dev.pi0stream.device;

/** What the {@link Norm} of every back end share. */
public abstract class DeviceNorm extends DeviceResource implements Norm {
  private final int columns;
  private final float epsilon;

  /**
   * A norm of rows of so many columns.
   *
   * @param epsilon is added to their variance, or their mean square
   */
  protected DeviceNorm(int columns, float epsilon, long bytes) {
    super(bytes);
    this.columns = columns;
    this.epsilon = epsilon;
  }

  @Override
  public final int columns() {
    return columns;
  }

  /** What is added to the variance, or the mean square. */
  public final float epsilon() {
    return epsilon;
  }
}
