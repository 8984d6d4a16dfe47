package dev.pi0stream.device.tt.ttnn;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.tt.python.Frame;
import dev.pi0stream.device.tt.python.PyFunction;
import dev.pi0stream.device.tt.python.PyObject;
import dev.pi0stream.device.tt.python.PyReference;
import dev.pi0stream.device.tt.python.PythonException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The chips of this machine, opened and closed as one: TTNN ends the process where a chip is opened
 * while another one computes. Each user takes one chip; with the last one all are closed.
 */
public final class Cluster {
  private static final Map<Ttnn, Cluster> OPEN = new HashMap<>();

  /** One that computes and one that copies inputs. */
  private static final int QUEUES = 2;

  private final Ttnn ttnn;
  private final PyReference mesh;
  private final int queues;
  private final List<MeshDevice> chips = new ArrayList<>();
  private final List<PyReference> handles = new ArrayList<>();
  private final Set<Integer> taken = new HashSet<>();

  private Cluster(Ttnn ttnn, long traceBytes) {
    this.ttnn = ttnn;
    try (Frame frame = ttnn.frame()) {
      PyObject module = ttnn.module();
      int count = Math.toIntExact(frame.integer(frame.invoke(module, "GetNumAvailableDevices")));
      PyObject shape = frame.invoke(module, "MeshShape", 1, count);
      // N300's own default reports more cores than its operations may use.
      PyObject dispatch =
          frame.invoke(
              module, "DispatchCoreConfig", frame.attribute(module, "DispatchCoreType.WORKER"));
      PyFunction open =
          ttnn.function(
              "open_mesh_device",
              "dispatch_core_config",
              "trace_region_size",
              "num_command_queues");
      PyObject opened;
      int got = QUEUES;
      try {
        opened = open.call(frame, shape, dispatch, traceBytes, got);
      } catch (PythonException e) {
        if (!e.text().contains("dispatch cores")) {
          throw e;
        }
        // A chip behind another one takes cores of it for its queues: an N300 has room for one.
        got = 1;
        opened = open.call(frame, shape, dispatch, traceBytes, got);
      }
      queues = got;
      mesh = frame.keep(opened);
      PyObject parts =
          frame.invoke(opened, "create_submeshes", frame.invoke(module, "MeshShape", 1, 1));
      for (int i = 0; i < frame.size(parts); i++) {
        PyObject chip = frame.item(parts, i);
        handles.add(frame.keep(chip));
        chips.add(new MeshDevice(ttnn, frame, chip, queues));
      }
    }
  }

  /**
   * Takes a chip, opening all of them where none is.
   *
   * @param index from 0
   * @param traceBytes memory of each chip that is set apart for traces, where they are opened
   * @throws DeviceException where there is no such chip, or it is taken
   */
  public static MeshDevice take(Ttnn ttnn, int index, long traceBytes) {
    synchronized (OPEN) {
      Cluster cluster = OPEN.get(ttnn);
      if (cluster == null) {
        cluster = new Cluster(ttnn, traceBytes);
        OPEN.put(ttnn, cluster);
      }
      try {
        return cluster.take(index);
      } catch (DeviceException e) {
        cluster.closeIfUnused();
        throw e;
      }
    }
  }

  private MeshDevice take(int index) {
    if (index < 0 || index >= chips.size()) {
      throw new DeviceException(
          "device tt:%d: this machine has %d, tt:0 to tt:%d"
              .formatted(index, chips.size(), chips.size() - 1));
    }
    if (!taken.add(index)) {
      throw new DeviceException(
          "device tt:%d is in use in this process; expected another one or its end"
              .formatted(index));
    }
    return chips.get(index);
  }

  /** Gives a chip back: its tensors are freed. */
  public static void giveBack(MeshDevice chip) {
    synchronized (OPEN) {
      Cluster cluster = OPEN.get(chip.ttnn());
      int index = cluster == null ? -1 : cluster.chips.indexOf(chip);
      if (index < 0 || !cluster.taken.remove(index)) {
        throw new IllegalStateException("a device is given back that was not taken");
      }
      chip.retire();
      try (Frame frame = chip.ttnn().frame()) {
        cluster.chips.set(
            index, new MeshDevice(chip.ttnn(), frame, cluster.handles.get(index), cluster.queues));
      }
      cluster.closeIfUnused();
    }
  }

  private void closeIfUnused() {
    if (!taken.isEmpty()) {
      return;
    }
    OPEN.remove(ttnn);
    try (Frame frame = ttnn.frame()) {
      chips.forEach(MeshDevice::retire);
      PyFunction close = ttnn.function("close_mesh_device");
      handles.forEach(handle -> close.call(frame, handle));
      close.call(frame, mesh);
    } finally {
      handles.forEach(PyReference::close);
      mesh.close();
    }
  }
}
