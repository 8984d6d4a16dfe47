package dev.pi0stream.device.tt;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.Packed;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Stage;
import dev.pi0stream.device.tt.HostInput.Place;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * An open stage. Until it runs it only collects its inputs: where they lie on the device is decided
 * by all of them together, see {@link StageRecord}.
 */
final class TtStage implements Stage, Inputs {
  private final TtDevice device;
  private final Stages stages;
  private final String name;
  private final List<Object> variant;
  private final Scope scope;
  private final List<Input> inputs = new ArrayList<>();
  private final Map<Hidden, TtnnTensor> hidden = new LinkedHashMap<>();
  private final List<TtKeyValues> takenParts = new ArrayList<>();
  private final List<Sequences> lengths = new ArrayList<>();
  private boolean recordable = true;
  private int takenRows;
  private boolean lengthsMatter;
  private State state = State.COLLECTING;

  private enum State {
    COLLECTING,
    RECORDED_BODY,
    WATCHED_BODY,
    DONE
  }

  /** One input. */
  sealed interface Input {
    /** Where it goes. */
    Place place();

    /** Gets the tensor there, as an owner of it. */
    Consumer<TtnnTensor> bind();
  }

  /** Numbers of the host. */
  record FromHost(HostInput input, Consumer<TtnnTensor> bind) implements Input {
    @Override
    public Place place() {
      return input.place();
    }
  }

  /** The part of a tensor that begins at {@code start}. */
  record FromDevice(TtnnTensor source, int[] start, Place place, Consumer<TtnnTensor> bind)
      implements Input {}

  /** Which rows are hidden. */
  private record Hidden(Sequences sequences, int rows) {}

  TtStage(TtDevice device, Stages stages, String name, List<Object> variant) {
    this.device = device;
    this.stages = stages;
    this.name = name;
    this.variant = variant;
    this.scope = device.scope();
  }

  // Inputs ----------------------------------------------------------------------------------------

  @Override
  public void place(HostInput input, Consumer<TtnnTensor> bind) {
    switch (state) {
      case COLLECTING -> inputs.add(new FromHost(input, bind));
      case RECORDED_BODY ->
          throw new IllegalStateException(
              "stage %s: an upload in its body, which computes with the stage's inputs only"
                  .formatted(name));
      case WATCHED_BODY, DONE -> device.uploads().place(input, bind);
    }
  }

  /** Announces that rows of these sequences will have to be hidden. */
  void announceHidden(Sequences sequences, int rows) {
    if (state != State.COLLECTING || hidden.containsKey(new Hidden(sequences, rows))) {
      return;
    }
    Hidden key = new Hidden(sequences, rows);
    hidden.put(key, null);
    inputs.add(new FromHost(Uploads.hiddenRow(sequences, rows), tensor -> hidden.put(key, tensor)));
  }

  @Override
  public TtnnTensor hidden(Sequences sequences, int rows) {
    TtnnTensor known = hidden.get(new Hidden(sequences, rows));
    if (known != null) {
      return known.share();
    }
    if (state == State.RECORDED_BODY) {
      throw new IllegalStateException(
          "stage %s attends %s, which no mask of the stage is for".formatted(name, sequences));
    }
    return device.uploads().hidden(sequences, rows);
  }

  /** A sequence of lengths that inputs have. */
  void note(Sequences sequences) {
    if (state == State.COLLECTING) {
      lengths.add(sequences);
    }
  }

  /** What the body does depends on the lengths of sequences. */
  void noteThatLengthsMatter() {
    lengthsMatter = true;
  }

  @Override
  public Device.Rows take(Device.Rows rows) {
    TtTensor tensor = (TtTensor) rows.tensor();
    Sequences sequences = tensor.sequences();
    int sequence = sequenceOf(rows, tensor);
    TtTensor whole = tensor;
    if (sequence < 0) {
      whole = (TtTensor) device.rows(List.of(List.of(rows)));
      sequences = whole.sequences();
      sequence = 0;
    }
    TtnnTensor matrix = scopedPlain(whole);
    Sequences own = Sequences.of(rows.count());
    Blocks blocks = Blocks.of(own);
    Place place = new Place(blocks.matrix(whole.columns()), matrix.type(), matrix.layout());
    TtTensor taken = device.own(new TtTensor(own, whole.columns(), 0));
    int[] start = {0, 0, sequence * Blocks.of(sequences).rows(), 0};
    inputs.add(new FromDevice(matrix, start, place, taken::bind));
    lengths.add(own);
    return Device.Rows.of(taken);
  }

  /** The sequence that these rows are; −1 where they are none as a whole. */
  private static int sequenceOf(Device.Rows rows, TtTensor tensor) {
    Sequences sequences = tensor.sequences();
    for (int i = 0; i < sequences.count(); i++) {
      if (rows.from() == sequences.start(i)
          && rows.count() == sequences.length(i)
          && rows.count() > 0) {
        return i;
      }
    }
    return -1;
  }

  private TtnnTensor scopedPlain(TtTensor tensor) {
    try (Temporaries made = new Temporaries()) {
      TtnnTensor plain = made.keep(device.forms().plain(tensor, made));
      device.own(new TtTensor(tensor.sequences(), tensor.columns(), new TtTensor.Plain(plain)));
      return plain;
    }
  }

  @Override
  public Device.Part take(Device.Part part) {
    TtKeyValues source = (TtKeyValues) part.source();
    if (source.segments().size() != 1) {
      recordable = false;
      return part;
    }
    Segment segment = source.segments().getFirst();
    TtnnTensor slab = segment.slab(device.operations());
    Sequences own = Sequences.of(segment.sequences().length(part.sequence()));
    Place place = new Place(slab.shape().with(0, 1), slab.type(), slab.layout());
    TtKeyValues taken = new TtKeyValues(own, source.layers(), source.heads());
    taken.fillAs(source);
    device.own(taken);
    inputs.add(
        new FromDevice(
            slab,
            new int[] {part.sequence(), 0, 0, 0},
            place,
            tensor ->
                taken.append(Segment.of(own, source.layers(), source.heads().keyValue(), tensor))));
    takenParts.add(taken);
    lengths.add(own);
    takenRows = Math.max(takenRows, segment.rows());
    return new Device.Part(taken, 0);
  }

  // Running ---------------------------------------------------------------------------------------

  @Override
  public <R extends Packed> R run(Sequences sequences, Supplier<R> body) {
    return run(sequences, body, recordable);
  }

  @Override
  public <R extends Packed> R runUnrecorded(Sequences sequences, Supplier<R> body) {
    return run(sequences, body, false);
  }

  private <R extends Packed> R run(Sequences sequences, Supplier<R> body, boolean recorded) {
    if (state != State.COLLECTING) {
      throw new IllegalStateException("stage " + name + " runs a second time");
    }
    if (!takenParts.isEmpty()) {
      int[] own = takenParts.stream().mapToInt(part -> part.sequences().rows()).toArray();
      announceHidden(Sequences.of(own), takenRows);
    }
    StageRecord record = stages.record(key());
    record.fill(inputs);
    for (int i = 0; i < inputs.size(); i++) {
      inputs.get(i).bind().accept(record.place(i).share());
    }
    state = recorded ? State.RECORDED_BODY : State.WATCHED_BODY;
    R result = stages.run(record, recorded, sequences, checked(sequences, body));
    state = State.DONE;
    if (lengthsMatter) {
      stages.lengthsMatter(key(List.of()));
    }
    return scope.keep(result);
  }

  private <R extends Packed> Supplier<R> checked(Sequences sequences, Supplier<R> body) {
    return () -> {
      R result = body.get();
      if (!result.sequences().equals(sequences)) {
        throw new IllegalArgumentException(
            "run: the result has %s, not %s".formatted(result.sequences(), sequences));
      }
      return result;
    };
  }

  private Stages.Key key() {
    Stages.Key general = key(List.of());
    return stages.doLengthsMatter(general) ? key(lengths) : general;
  }

  private Stages.Key key(List<Sequences> exact) {
    List<Boolean> full = new ArrayList<>();
    hidden.keySet().forEach(row -> full.add(Attention.isFull(row.rows, row.sequences)));
    return new Stages.Key(
        name, variant, inputs.stream().map(Input::place).toList(), full, List.copyOf(exact));
  }

  @Override
  public void close() {
    state = State.DONE;
    stages.closed(this);
    hidden
        .values()
        .forEach(
            tensor -> {
              if (tensor != null) {
                tensor.close();
              }
            });
    hidden.clear();
    scope.close();
  }
}
