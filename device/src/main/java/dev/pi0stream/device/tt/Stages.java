package dev.pi0stream.device.tt;

import dev.pi0stream.device.Packed;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.tt.HostInput.Place;
import dev.pi0stream.device.tt.ttnn.DeviceTrace;
import dev.pi0stream.device.tt.ttnn.MeshDevice;
import dev.pi0stream.device.tt.ttnn.Operations;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The stages that a device has run, by what makes them the same. A stage is computed operation by
 * operation when it is new, which compiles its programs; the second time it is recorded, and
 * replayed from then on. Where the device cannot replay, every time is like the first.
 *
 * <p>A replay overwrites whatever was allocated after its trace was captured and lies where the
 * recorded operations kept what they had between them. So a trace is captured again where anything
 * was allocated since, and results go to {@linkplain Storage room} that was there before. Once all
 * shapes were seen and the caches are full there is nothing left to allocate.
 */
final class Stages {
  /** So many different stages are kept; the one that was not used for longest goes. */
  private static final int KEPT = 32;

  private final MeshDevice chip;
  private final Operations operations;
  private final Forms forms;
  private final Storage storage;
  private final Function<Packed, Packed> own;
  private final LinkedHashMap<Key, StageRecord> records = new LinkedHashMap<>(16, 0.75f, true);
  private final Set<Key> lengthsMatter = new HashSet<>();
  private TtStage open;
  private long activationBytes;

  /**
   * What makes stages the same.
   *
   * @param full for each row that hides padding whether it hides nothing
   * @param lengths of the inputs' sequences, where they matter
   */
  record Key(
      String name,
      List<Object> variant,
      List<Place> places,
      List<Boolean> full,
      List<Sequences> lengths) {}

  /**
   * No stages yet.
   *
   * @param own makes a new resource the device's
   */
  Stages(MeshDevice chip, Operations operations, Forms forms, Function<Packed, Packed> own) {
    this.chip = chip;
    this.operations = operations;
    this.forms = forms;
    this.storage = new Storage(chip);
    this.own = own;
  }

  void opened(TtStage stage) {
    if (open != null) {
      throw new IllegalStateException("a stage is opened in a stage");
    }
    open = stage;
  }

  void closed(TtStage stage) {
    if (stage.equals(open)) {
      open = null;
    }
  }

  /** The open stage; null where none is. */
  TtStage open() {
    return open;
  }

  boolean doLengthsMatter(Key key) {
    return lengthsMatter.contains(key);
  }

  void lengthsMatter(Key key) {
    if (lengthsMatter.add(key)) {
      StageRecord general = records.remove(key);
      if (general != null) {
        general.close();
      }
    }
  }

  /** What is kept of a stage; made where it is new. */
  StageRecord record(Key key) {
    StageRecord record = records.get(key);
    if (record == null) {
      if (records.size() == KEPT) {
        records.pollFirstEntry().getValue().close();
      }
      // What is about to be allocated makes them stale, and may need their memory.
      records.values().forEach(StageRecord::releaseTrace);
      storage.giveBackIdle();
      record = new StageRecord(chip, operations, key.places());
      records.put(key, record);
    }
    return record;
  }

  /** Runs a stage whose inputs are in their places. */
  @SuppressWarnings("unchecked") // a stage with the same key gives the same kind of result
  <R extends Packed> R run(
      StageRecord record, boolean recorded, Sequences sequences, Supplier<R> body) {
    boolean traced = recorded && chip.replaysTraces();
    if (!traced || record.output() == null || !record.output().isReplayable()) {
      StageOutput output = compute(body);
      try {
        if (record.trace() == null) {
          record.learn(output);
        }
        return (R) handOver(output, rooms(output.places()), sequences);
      } finally {
        output.releaseTensors();
      }
    }
    // Room for the result comes first: a trace does not outlive an allocation.
    List<TtnnTensor> rooms = rooms(record.output().places());
    if (record.trace() == null) {
      capture(record, body);
    }
    record.trace().replay();
    return (R) handOver(record.output(), rooms, sequences);
  }

  private <R extends Packed> StageOutput compute(Supplier<R> body) {
    long before = chip.tensorBytes();
    chip.forgetPeak();
    StageOutput output = StageOutput.of(body.get(), forms, operations);
    activationBytes = Math.max(activationBytes, chip.peakBytes() - before);
    return output;
  }

  private <R extends Packed> void capture(StageRecord record, Supplier<R> body) {
    DeviceTrace trace =
        chip.capture(
            () -> {
              StageOutput output = StageOutput.of(body.get(), forms, operations);
              record.learn(output);
              return output.tensors();
            });
    record.keep(trace);
  }

  private Packed handOver(StageOutput output, List<TtnnTensor> rooms, Sequences sequences) {
    output.copyTo(rooms, operations);
    return own.apply(output.in(rooms, sequences));
  }

  private List<TtnnTensor> rooms(List<Place> places) {
    return places.stream().map(storage::take).toList();
  }

  /**
   * Has what was made between stages live on: in room that was there before, where it is new.
   *
   * @param tensor is given away
   */
  TtnnTensor settle(TtnnTensor tensor) {
    if (open != null || tensor.owners() > 1) {
      return tensor;
    }
    try (tensor) {
      TtnnTensor room = storage.take(Place.of(tensor));
      operations.copy(tensor, room);
      return room;
    }
  }

  // Memory ----------------------------------------------------------------------------------------

  /** How many stages are kept. */
  int size() {
    return records.size();
  }

  /** How many of them have a trace. */
  int traces() {
    return (int) records.values().stream().filter(record -> record.trace() != null).count();
  }

  /** What a stage took at most, while it computed, beyond what was there before. */
  long activationBytes() {
    return activationBytes;
  }

  /** Of what is allocated, that which nobody uses and others may. */
  long idleBytes() {
    return storage.idleBytes();
  }

  void close() {
    records.values().forEach(StageRecord::close);
    records.clear();
    storage.close();
  }
}
