package dev.pi0stream.model.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.device.Parameter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A policy's folder: {@code config.json}, the weights and, where it is needed, {@code
 * dimensions.json}. What is opened is complete: every tensor that the policy has is there and has
 * its shape. Tensors go by the names that openpi publishes, whatever names the files have ({@code
 * model.} before them, those of older transformers, either name of the time MLP).
 *
 * <p>The weights are mapped into memory until {@link #close()}; a device has its own copy of those
 * that it was given.
 */
public final class Checkpoint implements PolicyWeights, AutoCloseable {
  private static final int READ_BYTES = 1 << 20;

  private final Path folder;
  private final PolicyConfig config;
  private final Dimensions dimensions;
  private final ShardedTensors files;
  private final Map<String, StoredTensor> tensors;
  private final List<String> surplus;
  private String id;

  private Checkpoint(
      Path folder,
      PolicyConfig config,
      Dimensions dimensions,
      ShardedTensors files,
      Map<String, StoredTensor> tensors) {
    this.folder = folder;
    this.config = config;
    this.dimensions = dimensions;
    this.files = files;
    this.tensors = tensors;
    this.surplus = check();
  }

  /**
   * Opens a folder.
   *
   * @throws CheckpointException if it could not be served: a file or tensor is missing or broken,
   *     or files contradict each other
   */
  public static Checkpoint open(Path folder) {
    if (!Files.isDirectory(folder)) {
      throw new CheckpointException(folder + ": there is no such folder");
    }
    ShardedTensors files = ShardedTensors.open(folder);
    try {
      PolicyType stored = storedType(files.all());
      PolicyConfig config = PolicyConfig.read(folder.resolve(PolicyConfig.FILE), stored);
      if (config.type() != stored) {
        throw new CheckpointException(
            "%s: field 'type' is %s, but the tensors are those of %s"
                .formatted(config.file(), config.type(), stored));
      }
      Map<String, StoredTensor> tensors = byOurNames(files.all(), config.type());
      Dimensions dimensions =
          DimensionsReader.read(folder, config.type(), tensors, table(folder, tensors));
      return new Checkpoint(folder, config, dimensions, files, tensors);
    } catch (RuntimeException e) {
      files.close();
      throw e;
    }
  }

  /**
   * The same checkpoint, on the same mapped files, with some fields of {@code config.json}
   * replaced.
   *
   * @throws CheckpointException if the result contradicts the tensors
   */
  public Checkpoint with(JsonNode overrides) {
    return new Checkpoint(folder, config.with(overrides), dimensions, files, tensors);
  }

  /** The folder. */
  public Path folder() {
    return folder;
  }

  @Override
  public PolicyConfig config() {
    return config;
  }

  @Override
  public Dimensions dimensions() {
    return dimensions;
  }

  @Override
  public Weights weights() {
    return new Weights() {
      @Override
      public Parameter matrix(String name, int rows, int columns) {
        StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
          throw new CheckpointException("%s: tensor '%s' is missing".formatted(folder, name));
        }
        return tensor.parameter(rows, columns);
      }

      @Override
      public boolean has(String name) {
        return tensors.containsKey(name);
      }
    };
  }

  /**
   * The embedding table, vocabulary × width of the backbone: {@code embed_tokens}, or {@code
   * lm_head} where that is the only copy, as in the published checkpoints, or the one that counts.
   */
  @Override
  public Parameter embedding() {
    return table(folder, tensors).parameter();
  }

  /** Names, as stored, of tensors that no policy of this type has; they are not read. */
  public List<String> surplus() {
    return surplus;
  }

  /** Names, as stored, of tensors that belong to the policy and that inference does not need. */
  public List<String> unused() {
    List<String> unused = new ArrayList<>();
    for (Map.Entry<String, StoredTensor> entry : tensors.entrySet()) {
      if (isUnused(entry.getKey())) {
        unused.add(entry.getValue().name());
      }
    }
    return unused;
  }

  private boolean isUnused(String name) {
    return name.equals(TensorNames.EXPERT_HEAD)
        || (isTable(name) && !name.equals(tableName(tensors)))
        || Architecture.isUnused(name, dimensions);
  }

  /** The number of parameters in the files. */
  public long parameters() {
    return files.all().stream().mapToLong(StoredTensor::count).sum();
  }

  @Override
  public long usedParameters() {
    return tensors.entrySet().stream()
        .filter(entry -> !isUnused(entry.getKey()))
        .filter(entry -> !surplus.contains(entry.getValue().name()))
        .mapToLong(entry -> entry.getValue().count())
        .sum();
  }

  /** How many parameters are stored in each type. */
  public Map<StoredType, Long> types() {
    Map<StoredType, Long> types = new EnumMap<>(StoredType.class);
    files.all().forEach(tensor -> types.merge(tensor.type(), tensor.count(), Long::sum));
    return types;
  }

  /** The bytes of all tensors. */
  public long bytes() {
    return files.all().stream().mapToLong(tensor -> tensor.data().byteSize()).sum();
  }

  /** The weights' files; with shards, their index is the first. */
  public List<Path> files() {
    return files.files();
  }

  /**
   * SHA-256 of the configuration, of {@code dimensions.json} and of the weights' files, in hex: the
   * identity of what computes. Reads all weights when it is asked for first.
   */
  public synchronized String id() {
    if (id == null) {
      id = digest();
    }
    return id;
  }

  /** Unmaps the weights, also for those that {@link #with} made from this one. */
  @Override
  public void close() {
    files.close();
  }

  private String digest() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(config.json().toString().getBytes(StandardCharsets.UTF_8));
      Path declared = folder.resolve(DimensionsReader.FILE);
      if (Files.exists(declared)) {
        digest.update(Files.readAllBytes(declared));
      }
      byte[] buffer = new byte[READ_BYTES];
      for (Path file : files.files()) {
        try (InputStream in = Files.newInputStream(file)) {
          for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
            digest.update(buffer, 0, count);
          }
        }
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read: %s".formatted(folder, e.getMessage()), e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Checks that all tensors are there and have their shapes; returns the names of the others. */
  private List<String> check() {
    Map<String, List<Integer>> shapes = Architecture.shapes(config, dimensions);
    shapes.put(tableName(tensors), List.of(dimensions.vocabulary(), dimensions.language().width()));
    for (Map.Entry<String, List<Integer>> entry : shapes.entrySet()) {
      StoredTensor tensor = tensors.get(entry.getKey());
      if (tensor == null) {
        throw new CheckpointException(
            "%s: tensor '%s' of shape %s is missing"
                .formatted(folder, entry.getKey(), entry.getValue()));
      }
      if (!tensor.shape().equals(entry.getValue())) {
        throw new CheckpointException(
            "%s: tensor '%s' has shape %s; expected %s"
                .formatted(tensor.file(), tensor.name(), tensor.shapeText(), entry.getValue()));
      }
      if (tensor.type().weightType().isEmpty()) {
        throw new CheckpointException(
            "%s: tensor '%s' is %s; expected F32, F16 or BF16"
                .formatted(tensor.file(), tensor.name(), tensor.type()));
      }
    }
    if (config.imageResolution() % dimensions.vision().patch() != 0) {
      throw new CheckpointException(
          "%s: field 'image_resolution' is %d; expected a multiple of the patch, which is %d"
              .formatted(config.file(), config.imageResolution(), dimensions.vision().patch()));
    }
    List<String> others = new ArrayList<>();
    for (Map.Entry<String, StoredTensor> entry : tensors.entrySet()) {
      boolean known = shapes.containsKey(entry.getKey()) || isUnused(entry.getKey());
      if (!known) {
        others.add(entry.getValue().name());
      }
    }
    return Collections.unmodifiableList(others);
  }

  private static PolicyType storedType(Collection<StoredTensor> tensors) {
    boolean adaptive =
        tensors.stream()
            .map(tensor -> TensorNames.of(tensor.name()))
            .anyMatch(
                name -> name.startsWith(TensorNames.EXPERT) && name.endsWith(".dense.weight"));
    return adaptive ? PolicyType.PI05 : PolicyType.PI0;
  }

  private static Map<String, StoredTensor> byOurNames(
      Collection<StoredTensor> stored, PolicyType type) {
    Map<String, StoredTensor> tensors = new TreeMap<>();
    for (StoredTensor tensor : stored) {
      String name = TensorNames.of(tensor.name(), type);
      StoredTensor other = tensors.put(name, tensor);
      if (other != null) {
        throw new CheckpointException(
            "%s: tensors '%s' and '%s' are both '%s'"
                .formatted(tensor.file(), other.name(), tensor.name(), name));
      }
    }
    return tensors;
  }

  private static boolean isTable(String name) {
    return name.equals(TensorNames.LANGUAGE_TABLE) || name.equals(TensorNames.LANGUAGE_HEAD);
  }

  /**
   * The name of the tensor that is the embedding table. Where both names are there, LeRobot's
   * loader ({@code modeling_pi0.py}, {@code _fix_pytorch_state_dict_keys}) copies each of them to
   * the table in the order of the file, and the later one stays. safetensors files are sorted by
   * type, the widest first, then by name: of one type {@code embed_tokens} counts, and a {@code
   * lm_head} of a type that comes later.
   */
  private static String tableName(Map<String, StoredTensor> tensors) {
    StoredTensor table = tensors.get(TensorNames.LANGUAGE_TABLE);
    StoredTensor head = tensors.get(TensorNames.LANGUAGE_HEAD);
    if (table == null || head == null) {
      return table == null ? TensorNames.LANGUAGE_HEAD : TensorNames.LANGUAGE_TABLE;
    }
    return head.type().compareTo(table.type()) < 0
        ? TensorNames.LANGUAGE_HEAD
        : TensorNames.LANGUAGE_TABLE;
  }

  private static StoredTensor table(Path folder, Map<String, StoredTensor> tensors) {
    StoredTensor table = tensors.get(tableName(tensors));
    if (table == null) {
      throw new CheckpointException(
          "%s: the embedding table is missing; expected tensor '%s' or '%s'"
              .formatted(folder, TensorNames.LANGUAGE_TABLE, TensorNames.LANGUAGE_HEAD));
    }
    return table;
  }
}
