package dev.pi0stream.device.tt;

import dev.pi0stream.device.tt.HostInput.Place;
import dev.pi0stream.device.tt.TtStage.FromDevice;
import dev.pi0stream.device.tt.TtStage.FromHost;
import dev.pi0stream.device.tt.TtStage.Input;
import dev.pi0stream.device.tt.ttnn.DeviceTrace;
import dev.pi0stream.device.tt.ttnn.MeshDevice;
import dev.pi0stream.device.tt.ttnn.Operations;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * What is kept of a stage with inputs of certain shapes: the places of its inputs, which are always
 * the same, so that a trace finds them; and the trace.
 */
final class StageRecord implements AutoCloseable {
  private final MeshDevice chip;
  private final Operations operations;
  private final Arena arena = Arena.ofConfined();
  private final List<TtnnTensor> places = new ArrayList<>();
  private final List<MemorySegment> sent = new ArrayList<>(); // what was copied last; null: nothing
  private final List<Object> contents = new ArrayList<>(); // what that was of; null: only it tells
  private StageOutput output;
  private DeviceTrace trace;

  StageRecord(MeshDevice chip, Operations operations, List<Place> wanted) {
    this.chip = chip;
    this.operations = operations;
    boolean done = false;
    try {
      for (Place place : wanted) {
        places.add(chip.empty(place.shape(), place.type(), place.layout()));
        sent.add(null);
        contents.add(null);
      }
      done = true;
    } finally {
      if (!done) {
        close();
      }
    }
  }

  /** Where an input is. */
  TtnnTensor place(int input) {
    return places.get(input);
  }

  /** Brings the inputs to their places; what is the same as last time is there already. */
  void fill(List<Input> inputs) {
    chip.holdUploads();
    for (int i = 0; i < inputs.size(); i++) {
      switch (inputs.get(i)) {
        case FromHost(HostInput input, var _) -> fill(i, input);
        case FromDevice(TtnnTensor source, int[] start, Place _, var _) ->
            operations.sliceInto(source, start, places.get(i));
      }
    }
    chip.awaitUploads();
  }

  private void fill(int index, HostInput input) {
    if (input.content() != null && input.content().equals(contents.get(index))) {
      return;
    }
    // Until it was copied nothing is known of the place.
    contents.set(index, null);
    try (Arena local = Arena.ofConfined()) {
      MemorySegment numbers = local.allocate(input.place().hostBytes(), 64);
      input.fill().accept(numbers);
      MemorySegment last = sent.get(index);
      if (last == null) {
        last = arena.allocate(input.place().hostBytes(), 64);
        sent.set(index, last);
      } else if (last.mismatch(numbers) < 0) {
        contents.set(index, input.content());
        return;
      }
      chip.upload(numbers, input.place().element(), places.get(index));
      last.copyFrom(numbers);
      contents.set(index, input.content());
    }
  }

  /** What the stage gives; null before it ran. */
  StageOutput output() {
    return output;
  }

  void learn(StageOutput form) {
    output = form;
  }

  /** The trace; null where there is none that can be replayed. */
  DeviceTrace trace() {
    if (trace != null && (trace.isClosed() || trace.isStale())) {
      releaseTrace();
    }
    return trace;
  }

  /** Keeps a trace, which writes what was {@linkplain #learn learnt} while it was captured. */
  void keep(DeviceTrace captured) {
    trace = captured;
  }

  /** Releases the trace, if there is one. */
  void releaseTrace() {
    if (trace != null) {
      DeviceTrace released = trace;
      trace = null;
      released.close();
      output.releaseTensors();
    }
  }

  @Override
  public void close() {
    releaseTrace();
    places.forEach(TtnnTensor::close);
    arena.close();
  }
}
