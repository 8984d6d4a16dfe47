package dev.pi0stream.model.policy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.StoredTensor;
import org.junit.jupiter.api.Test;

class PositionGridTest {
  @Test
  void interpolatesAsTransformersDoes() {
    JsonNode entry = Golden.named("ops", "position-interpolation");
    int side = entry.at("/parameters/from_grid/0").intValue();
    try (Safetensors file = Golden.open(entry)) {
      StoredTensor table = file.get("in.position_embedding");
      PositionGrid grid = new PositionGrid(table.floats(), side, table.shape().getLast());
      for (StoredTensor expected : file.all()) {
        if (expected.name().startsWith("out.")) {
          String[] sizes = expected.name().substring("out.".length()).split("x", -1);
          Golden.assertClose(
              expected.name(),
              grid.interpolate(Integer.parseInt(sizes[0]), Integer.parseInt(sizes[1])),
              expected.floats(),
              entry.get("tolerance").doubleValue());
        }
      }
    }
  }

  @Test
  void givesTheOwnGridAsItIs() {
    float[] table = {1, 2, 3, 4};

    assertThat(new PositionGrid(table, 2, 1).interpolate(2, 2)).containsExactly(table);
  }
}
