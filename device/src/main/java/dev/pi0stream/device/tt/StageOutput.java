package dev.pi0stream.device.tt;

import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Packed;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.tt.HostInput.Place;
import dev.pi0stream.device.tt.ttnn.Operations;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.ArrayList;
import java.util.List;

/** The result of a stage as tensors: what a trace writes, and what is made of a copy of it. */
final class StageOutput {
  private final Form form;
  private final List<TtnnTensor> tensors;

  /** What kind of result it is. */
  private sealed interface Form {}

  private record Matrix(int columns) implements Form {}

  private record Context(TtKeyValues like, List<Sequences> segments, Heads heads) implements Form {}

  private StageOutput(Form form, List<TtnnTensor> tensors) {
    this.form = form;
    this.tensors = tensors;
  }

  /** Takes a result as tensors, as one more owner of them. */
  static StageOutput of(Packed result, Forms forms, Operations operations) {
    return switch (result) {
      case TtTensor tensor -> {
        try (Temporaries made = new Temporaries()) {
          TtnnTensor plain = made.keep(forms.plain(tensor, made));
          yield new StageOutput(new Matrix(tensor.columns()), List.of(plain));
        }
      }
      case TtKeyValues keyValues -> {
        List<TtnnTensor> slabs = new ArrayList<>();
        List<Sequences> segments = new ArrayList<>();
        for (Segment segment : keyValues.segments()) {
          slabs.add(segment.slab(operations).share());
          segments.add(segment.sequences());
        }
        yield new StageOutput(new Context(keyValues, segments, keyValues.heads()), slabs);
      }
      default ->
          throw new IllegalArgumentException(
              "a stage gives a tensor or keys and values, not " + result.getClass().getName());
    };
  }

  /** Whether it can be made again of other lengths. */
  boolean isReplayable() {
    return !(form instanceof Context context && context.segments.size() != 1);
  }

  /** Where it lies. */
  List<Place> places() {
    return tensors.stream().map(Place::of).toList();
  }

  List<TtnnTensor> tensors() {
    return tensors;
  }

  /** Copies it to other places. */
  void copyTo(List<TtnnTensor> rooms, Operations operations) {
    for (int i = 0; i < rooms.size(); i++) {
      operations.copy(tensors.get(i), rooms.get(i));
    }
  }

  /**
   * A result in these places, which become its own.
   *
   * @param sequences of the result
   */
  Packed in(List<TtnnTensor> rooms, Sequences sequences) {
    return switch (form) {
      case Matrix(int columns) ->
          new TtTensor(sequences, columns, new TtTensor.Plain(rooms.getFirst()));
      case Context(TtKeyValues like, List<Sequences> segments, Heads heads) -> {
        TtKeyValues made = new TtKeyValues(sequences, like.layers(), heads);
        made.fillAs(like);
        for (int i = 0; i < rooms.size(); i++) {
          Sequences own = segments.size() == 1 ? sequences : segments.get(i);
          made.append(Segment.of(own, like.layers(), heads.keyValue(), rooms.get(i)));
        }
        yield made;
      }
    };
  }

  void releaseTensors() {
    tensors.forEach(TtnnTensor::close);
  }
}
