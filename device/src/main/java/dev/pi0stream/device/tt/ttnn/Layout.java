package dev.pi0stream.device.tt.ttnn;

/** In which order a tensor's numbers lie. */
public enum Layout {
  /** 32 × 32 tiles of the last two dimensions, which are padded to them. */
  TILE("TILE_LAYOUT"),
  /** Row after row. */
  ROW_MAJOR("ROW_MAJOR_LAYOUT");

  private final String ttnnName;

  Layout(String ttnnName) {
    this.ttnnName = ttnnName;
  }

  String ttnnName() {
    return ttnnName;
  }
}
