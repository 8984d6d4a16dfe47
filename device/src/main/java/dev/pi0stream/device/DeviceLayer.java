package dev.pi0stream.device;

/** What the {@link Linear} and {@link GatedLinear} of every back end share: their shape. */
public abstract class DeviceLayer extends DeviceResource {
  private final int inputs;
  private final int outputs;

  /** A layer from so many columns to so many. */
  protected DeviceLayer(int inputs, int outputs, long bytes) {
    super(bytes);
    this.inputs = inputs;
    this.outputs = outputs;
  }

  /** Columns of what it takes. */
  public final int inputs() {
    return inputs;
  }

  /** Columns of what it gives. */
  public final int outputs() {
    return outputs;
  }
}
