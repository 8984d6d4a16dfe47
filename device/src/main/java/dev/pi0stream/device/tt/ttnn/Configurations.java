package dev.pi0stream.device.tt.ttnn;

import dev.pi0stream.device.tt.python.Frame;
import dev.pi0stream.device.tt.python.PyFunction;
import dev.pi0stream.device.tt.python.PyObject;
import dev.pi0stream.device.tt.python.PyReference;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/**
 * The configuration objects of a device's operations, each made once. Nothing is left to a default
 * that lowers fidelity: TTNN's own are HiFi2, approximate exponentials and 16-bit sums.
 */
final class Configurations {
  /** Rows of queries that one core works on at a time: what all boards have room for. */
  private static final int LARGEST_QUERY_CHUNK = 128;

  /** Rows of keys likewise. */
  private static final int LARGEST_KEY_CHUNK = 256;

  private final MeshDevice device;
  private final Map<Fidelity, PyReference> compute = new EnumMap<>(Fidelity.class);
  private final Map<Long, PyReference> attention = new HashMap<>();
  private final Map<String, PyReference> unary = new HashMap<>();
  private final PyReference grid;

  Configurations(MeshDevice device) {
    this.device = device;
    Ttnn ttnn = device.ttnn();
    try (Frame frame = ttnn.frame()) {
      PyObject module = ttnn.module();
      PyFunction configuration =
          ttnn.function(
              "init_device_compute_kernel_config",
              "math_fidelity",
              "math_approx_mode",
              "fp32_dest_acc_en",
              "packer_l1_acc");
      PyObject architecture = frame.invoke(device.reference(), "arch");
      for (Fidelity fidelity : Fidelity.values()) {
        PyObject wanted = frame.attribute(module, "MathFidelity." + fidelity.ttnnName());
        compute.put(
            fidelity,
            frame.keep(configuration.call(frame, architecture, wanted, false, true, true)));
      }
      grid =
          frame.keep(
              ttnn.function("CoreGrid", "x", "y")
                  .call(frame, device.grid().x(), device.grid().y()));
    }
  }

  PyReference compute(Fidelity fidelity) {
    return compute.get(fidelity);
  }

  /** All cores. */
  PyReference grid() {
    return grid;
  }

  /** How an attention of so many rows over so many keys is cut into pieces. */
  PyReference attention(int rows, int keys) {
    int queryChunk = chunk(rows, LARGEST_QUERY_CHUNK);
    int keyChunk = chunk(keys, LARGEST_KEY_CHUNK);
    return attention.computeIfAbsent(
        (long) queryChunk << Integer.SIZE | keyChunk,
        _ -> {
          Ttnn ttnn = device.ttnn();
          try (Frame frame = ttnn.frame()) {
            PyObject cores =
                frame.invoke(ttnn.module(), "CoreCoord", device.grid().x(), device.grid().y());
            return frame.keep(
                ttnn.function(
                        "SDPAProgramConfig",
                        "compute_with_storage_grid_size",
                        "q_chunk_size",
                        "k_chunk_size",
                        "exp_approx_mode")
                    .call(frame, cores, queryChunk, keyChunk, false));
          }
        });
  }

  /** The smallest power of two times a tile that covers the rows, up to a limit. */
  private static int chunk(int rows, int limit) {
    int chunk = Shape.TILE;
    while (chunk < rows && chunk < limit) {
      chunk *= 2;
    }
    return chunk;
  }

  /** An elementwise function with its parameter, or null for none. */
  PyReference unary(String name, Float parameter) {
    return unary.computeIfAbsent(
        name + parameter,
        _ -> {
          Ttnn ttnn = device.ttnn();
          try (Frame frame = ttnn.frame()) {
            PyObject type = frame.attribute(ttnn.module(), "UnaryOpType." + name);
            PyObject made =
                parameter == null
                    ? frame.invoke(ttnn.module(), "UnaryWithParam", type)
                    : frame.invoke(ttnn.module(), "UnaryWithParam", type, parameter);
            return frame.keep(made);
          }
        });
  }
}
