package dev.pi0stream.device.tt.ttnn;

import dev.pi0stream.device.tt.python.ElementType;
import dev.pi0stream.device.tt.python.Frame;
import dev.pi0stream.device.tt.python.PyFunction;
import dev.pi0stream.device.tt.python.PyObject;
import dev.pi0stream.device.tt.python.PyReference;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A device of one chip: its memory, its transfers, its traces. {@link Operations} computes on it.
 * Used by one thread at a time, and by nobody after it was closed: TTNN would end the process.
 */
public final class MeshDevice {
  /** The queue that computes. */
  private static final int COMPUTE = 0;

  /** The queue that copies inputs, beside the other one. */
  private static final int TRANSFER = 1;

  private final Ttnn ttnn;
  private final PyReference reference;
  private final Grid grid;
  private final int queues;
  private final Allocations allocations = new Allocations();
  private final Map<String, Long> operations = new HashMap<>();
  private final PyFunction makeTensor;
  private final PyFunction empty;
  private final PyFunction zeros;
  private final PyFunction copyToDevice;
  private final PyFunction toDataType;
  private final PyFunction memoryView;
  private final PyFunction recordEvent;
  private final PyFunction waitForEvent;
  private final PyFunction beginTraceCapture;
  private final PyFunction endTraceCapture;
  private final PyFunction executeTrace;
  private final PyFunction releaseTrace;
  private final PyFunction synchronize;
  private long calls;
  private long uploads;
  private long uploadedBytes;
  private long downloads;
  private long downloadedBytes;
  private long replays;
  private final List<DeviceTrace> traces = new ArrayList<>();
  private Capture capture; // null outside of one
  private boolean open = true;

  MeshDevice(Ttnn ttnn, Frame frame, PyObject device, int queues) {
    this.ttnn = ttnn;
    this.queues = queues;
    this.reference = frame.keep(device);
    PyObject size = frame.invoke(device, "compute_with_storage_grid_size");
    this.grid =
        new Grid(
            (int) frame.integer(frame.attribute(size, "x")),
            (int) frame.integer(frame.attribute(size, "y")));
    this.makeTensor = ttnn.function("Tensor");
    this.empty = ttnn.function("empty", "dtype", "layout", "device", "memory_config");
    this.zeros = ttnn.function("zeros", "dtype", "layout", "device", "memory_config");
    this.copyToDevice = ttnn.function("copy_host_to_device_tensor", "cq_id");
    this.toDataType = ttnn.function("to_dtype");
    this.memoryView = ttnn.function("get_memory_view");
    this.recordEvent = ttnn.function("record_event");
    this.waitForEvent = ttnn.function("wait_for_event");
    this.beginTraceCapture = ttnn.function("begin_trace_capture", "cq_id");
    this.endTraceCapture = ttnn.function("end_trace_capture", "cq_id");
    this.executeTrace = ttnn.function("execute_trace", "cq_id", "blocking");
    this.releaseTrace = ttnn.function("release_trace");
    this.synchronize = ttnn.function("synchronize_device");
  }

  /** The cores that compute. */
  public Grid grid() {
    return grid;
  }

  /** One kind of its memory, as it is now. */
  public MemoryView memory(Memory kind) {
    try (Frame frame = frame()) {
      PyObject view = count(memoryView).call(frame, reference(), ttnn.bufferType(kind));
      return new MemoryView(
          Math.toIntExact(integer(frame, view, "num_banks")),
          integer(frame, view, "total_bytes_per_bank"),
          integer(frame, view, "total_bytes_allocated_per_bank"),
          integer(frame, view, "largest_contiguous_bytes_free_per_bank"));
    }
  }

  private static long integer(Frame frame, PyObject object, String attribute) {
    return frame.integer(frame.attribute(object, attribute));
  }

  /** How many programs were compiled for it and kept. */
  public long programs() {
    try (Frame frame = frame()) {
      return frame.integer(frame.invoke(reference(), "num_program_cache_entries"));
    }
  }

  /** Whether a program may be compiled; where not, an operation that needs a new one fails. */
  public void allowNewPrograms(boolean allowed) {
    try (Frame frame = frame()) {
      frame.invoke(reference(), "set_program_cache_misses_allowed", allowed);
    }
  }

  /** What it was asked to do so far. */
  public Traffic traffic() {
    return new Traffic(
        calls, uploads, uploadedBytes, downloads, downloadedBytes, replays, operations);
  }

  /** How many tensors are allocated. */
  public int tensors() {
    return allocations.count();
  }

  /** What they take, in L1 too. */
  public long tensorBytes() {
    return allocations.bytes();
  }

  /** The most that they took since {@link #forgetPeak}. */
  public long peakBytes() {
    return allocations.peak();
  }

  /** Forgets what they took so far. */
  public void forgetPeak() {
    allocations.forgetPeak();
  }

  /** Waits until all that it was asked for is computed. */
  public void synchronize() {
    checkNotCapturing("a wait");
    try (Frame frame = frame()) {
      count(synchronize).call(frame, reference());
    }
  }

  /** Whether traces can be captured and replayed, and events waited for. */
  public boolean replaysTraces() {
    return ttnn.replaysTraces();
  }

  // Transfers -------------------------------------------------------------------------------------

  /**
   * Copies numbers to a new tensor in DRAM, rounding them to its type.
   *
   * @param numbers native memory of exactly the shape's numbers, row after row
   */
  public TtnnTensor upload(
      MemorySegment numbers, ElementType element, Shape shape, DataType type, Layout layout) {
    checkNotCapturing("an upload");
    try (Frame frame = frame()) {
      PyObject made =
          count(makeTensor)
              .call(
                  frame,
                  frame.lend(numbers, element, shape.toLongs()),
                  ttnn.type(type),
                  reference(),
                  ttnn.layout(layout));
      TtnnTensor tensor = tensor(frame, made, shape, type, layout);
      uploads++;
      uploadedBytes += tensor.bytes();
      return tensor;
    }
  }

  /**
   * Copies numbers over those of a tensor, on the queue for transfers where there are two.
   *
   * @param numbers native memory of exactly the shape's numbers, row after row
   */
  public void upload(MemorySegment numbers, ElementType element, TtnnTensor destination) {
    checkNotCapturing("an upload");
    try (Frame frame = frame()) {
      PyObject host =
          count(makeTensor)
              .call(
                  frame,
                  frame.lend(numbers, element, destination.shape().toLongs()),
                  ttnn.type(destination.type()),
                  null,
                  ttnn.layout(destination.layout()));
      Integer queue = hasTransferQueue() ? TRANSFER : null;
      count(copyToDevice).call(frame, host, destination.argument(this), queue);
      uploads++;
      uploadedBytes += destination.bytes();
    }
  }

  /** Makes what is computed from now on wait for the transfers that were started. */
  public void awaitUploads() {
    if (hasTransferQueue()) {
      waitFor(TRANSFER, COMPUTE);
    }
  }

  /** Makes transfers from now on wait for what was asked to be computed. */
  public void holdUploads() {
    if (hasTransferQueue()) {
      waitFor(COMPUTE, TRANSFER);
    }
  }

  /** Waiting for events ends the process where traces cannot be replayed. */
  private boolean hasTransferQueue() {
    return queues > 1 && replaysTraces();
  }

  private void waitFor(int first, int then) {
    try (Frame frame = frame()) {
      PyObject event = count(recordEvent).call(frame, reference(), first);
      count(waitForEvent).call(frame, then, event);
    }
  }

  /** Copies a tensor's numbers to memory of as many fp32 numbers, row after row. */
  public void download(TtnnTensor tensor, MemorySegment destination) {
    checkNotCapturing("a download");
    try (Frame frame = frame()) {
      calls++;
      PyObject host = frame.invoke(tensor.argument(this), "cpu");
      if (tensor.type() != DataType.FLOAT32) {
        host = count(toDataType).call(frame, host, ttnn.type(DataType.FLOAT32));
      }
      calls++;
      frame.read(frame.invoke(host, "to_numpy"), destination);
      downloads++;
      downloadedBytes += tensor.bytes();
    }
  }

  /** A new tensor whose numbers are anything. */
  public TtnnTensor empty(Shape shape, DataType type, Layout layout) {
    return allocate(empty, shape, type, layout);
  }

  /** A new tensor of zeros. */
  public TtnnTensor zeros(Shape shape, DataType type, Layout layout) {
    return allocate(zeros, shape, type, layout);
  }

  private TtnnTensor allocate(PyFunction function, Shape shape, DataType type, Layout layout) {
    checkNotCapturing("an allocation");
    try (Frame frame = frame()) {
      PyObject made =
          count(function)
              .call(
                  frame,
                  shape.toArray(),
                  ttnn.type(type),
                  ttnn.layout(layout),
                  reference(),
                  ttnn.memory(Memory.DRAM));
      return tensor(frame, made, shape, type, layout);
    }
  }

  // Traces ----------------------------------------------------------------------------------------

  /**
   * Records the operations of a body instead of doing them. A capture always ends, whatever the
   * body does: the device would take nothing else.
   *
   * @param body gives its results: what replays write, and nobody needs longer than until the next
   *     replay of any trace
   */
  public DeviceTrace capture(Supplier<List<TtnnTensor>> body) {
    checkNotCapturing("a capture");
    if (!replaysTraces()) {
      throw new IllegalStateException("this device cannot capture a trace: it is a mock");
    }
    DeviceTrace trace;
    try (Frame frame = frame()) {
      PyObject id = count(beginTraceCapture).call(frame, reference(), COMPUTE);
      capture = new Capture();
      boolean done = false;
      List<TtnnTensor> results = List.of();
      try {
        results = body.get();
        done = true;
      } finally {
        List<TtnnTensor> read = capture.end();
        capture.living(results).forEach(allocations::lasts);
        capture = null;
        count(endTraceCapture).call(frame, reference(), id, COMPUTE);
        trace = new DeviceTrace(this, frame.keep(id), read, allocations.made());
        traces.add(trace);
        if (!done) {
          trace.close();
        }
      }
      return trace;
    }
  }

  void replay(PyReference trace) {
    checkNotCapturing("a replay");
    try (Frame frame = frame()) {
      count(executeTrace).call(frame, reference(), trace, COMPUTE, false);
      replays++;
    }
  }

  void release(DeviceTrace trace, PyReference id) {
    traces.remove(trace);
    if (open) {
      try (Frame frame = frame()) {
        count(releaseTrace).call(frame, reference(), id);
      }
    }
    id.close();
  }

  /** Whether something is allocated that was not when so much had been made. */
  boolean holdsNewerThan(long then) {
    return allocations.holdsNewerThan(then);
  }

  /** Releases the traces that read a tensor which nobody else owns. */
  void releaseReaders(TtnnTensor tensor) {
    List.copyOf(traces).stream().filter(trace -> trace.reads(tensor)).forEach(DeviceTrace::close);
  }

  private void checkNotCapturing(String what) {
    checkOpen();
    if (capture != null) {
      throw new IllegalStateException(
          what + " inside a capture: a trace holds operations on the device only");
    }
  }

  // Lifetime --------------------------------------------------------------------------------------

  Ttnn ttnn() {
    return ttnn;
  }

  Frame frame() {
    return ttnn.frame();
  }

  PyReference reference() {
    checkOpen();
    return reference;
  }

  void checkOpen() {
    if (!open) {
      throw new IllegalStateException("the device is closed");
    }
  }

  Call count(PyFunction function) {
    calls++;
    return new Call(this, function);
  }

  /** An operation is issued. */
  Call count(String operation, PyFunction function) {
    operations.merge(operation, 1L, Long::sum);
    return count(function);
  }

  TtnnTensor tensor(Frame frame, PyObject object, Shape shape, DataType type, Layout layout) {
    return new TtnnTensor(this, frame.keep(object), null, shape, type, layout);
  }

  void born(TtnnTensor tensor) {
    allocations.add(tensor);
    if (capture == null) {
      allocations.lasts(tensor);
    } else {
      capture.made(tensor);
    }
  }

  /** A tensor is an argument. */
  void used(TtnnTensor tensor) {
    if (capture != null) {
      capture.used(tensor.memory());
    }
  }

  void died(TtnnTensor tensor) {
    allocations.remove(tensor);
    if (capture != null) {
      capture.died(tensor);
    }
    calls++;
  }

  /** Frees all tensors; the device is not used again. */
  void retire() {
    if (open) {
      List.copyOf(traces).forEach(DeviceTrace::close);
      allocations.abandon();
      open = false;
      reference.close();
    }
  }
}
