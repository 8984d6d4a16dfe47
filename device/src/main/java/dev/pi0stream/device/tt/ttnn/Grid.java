package dev.pi0stream.device.tt.ttnn;

/** The cores of a device that compute: columns × rows. */
public record Grid(int x, int y) {
  @Override
  public String toString() {
    return x + " × " + y;
  }
}
