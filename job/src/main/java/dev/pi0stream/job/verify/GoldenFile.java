package dev.pi0stream.job.verify;

import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.StoredTensor;
import dev.pi0stream.model.checkpoint.Weights;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;

/** The tensors of one golden file. */
final class GoldenFile implements AutoCloseable {
  private final String name;
  private final Safetensors tensors;

  private GoldenFile(String name, Safetensors tensors) {
    this.name = name;
    this.tensors = tensors;
  }

  /**
   * Opens a file of a golden folder.
   *
   * @throws GoldenException if it is not a safetensors file
   */
  static GoldenFile open(Golden golden, String name) {
    Path path = golden.resolve(name);
    try {
      return new GoldenFile(name, Safetensors.open(path));
    } catch (CheckpointException e) {
      throw new GoldenException(e.getMessage(), e);
    }
  }

  /**
   * Opens a file of a golden folder that is to hold some tensors.
   *
   * @throws GoldenException if it is not a safetensors file, or lacks one of them
   */
  static GoldenFile open(Golden golden, String name, List<String> listed) {
    GoldenFile file = open(golden, name);
    for (String tensor : listed) {
      if (!file.has(tensor)) {
        file.close();
        throw new GoldenException(
            "%s: no tensor '%s', which the manifest lists".formatted(name, tensor));
      }
    }
    return file;
  }

  /** Its path, relative to the golden folder. */
  String name() {
    return name;
  }

  /** The names of some tensors, in alphabetical order. */
  List<String> names(Predicate<String> wanted) {
    return tensors.all().stream().map(StoredTensor::name).filter(wanted).toList();
  }

  /** The names of the tensors that begin with a prefix. */
  List<String> names(String prefix) {
    return names(tensor -> tensor.startsWith(prefix));
  }

  /** Whether there is such a tensor. */
  boolean has(String tensor) {
    return tensors.find(tensor).isPresent();
  }

  /** A tensor as it is stored. */
  StoredTensor stored(String tensor) {
    return tensors
        .find(tensor)
        .orElseThrow(() -> new GoldenException("%s: no tensor '%s'".formatted(name, tensor)));
  }

  /** The tensors below a prefix, as weights. */
  Weights weights(String prefix) {
    return Weights.of(tensors).in(prefix);
  }

  /** A tensor, widened. */
  Values get(String tensor) {
    StoredTensor stored = stored(tensor);
    int[] shape = stored.shape().stream().mapToInt(Integer::intValue).toArray();
    return switch (stored.type()) {
      case BOOL -> Values.of(stored.booleans(), shape);
      case F16, BF16, F32, F64 -> Values.of(stored.doubles(), shape);
      case U8, I8, U16, I16, U32, I32, U64, I64 -> {
        long[] integers = stored.longs();
        double[] values = new double[integers.length];
        for (int i = 0; i < values.length; i++) {
          values[i] = integers[i];
        }
        yield new Values(values, shape, true);
      }
      case F8_E4M3, F8_E5M2, F8_E8M0, C64 ->
          throw new GoldenException(
              "%s: tensor '%s' is %s, which no golden vector is"
                  .formatted(name, tensor, stored.type()));
    };
  }

  @Override
  public void close() {
    tensors.close();
  }
}
