package dev.pi0stream.device;

import java.util.function.Supplier;

/** A stage of a back end that records nothing: a scope. */
final class UnrecordedStage implements Stage {
  private final Scope scope;

  UnrecordedStage(Scope scope) {
    this.scope = scope;
  }

  @Override
  public Device.Rows take(Device.Rows rows) {
    return rows;
  }

  @Override
  public Device.Part take(Device.Part part) {
    return part;
  }

  @Override
  public <R extends Packed> R run(Sequences sequences, Supplier<R> body) {
    R result = body.get();
    if (!result.sequences().equals(sequences)) {
      throw new IllegalArgumentException(
          "run: the result has %s, not %s".formatted(result.sequences(), sequences));
    }
    return scope.keep(result);
  }

  @Override
  public <R extends Packed> R runUnrecorded(Sequences sequences, Supplier<R> body) {
    return run(sequences, body);
  }

  @Override
  public void close() {
    scope.close();
  }
}
