package dev.pi0stream.model.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The weights in a folder: {@code model.safetensors}, or the shards that {@code
 * model.safetensors.index.json} names. As everywhere in this format, the single file counts where
 * both are there.
 */
public final class ShardedTensors implements Tensors {
  static final String SINGLE = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";

  private final Path folder;
  private final List<Path> files;
  private final List<Safetensors> shards;
  private final Map<String, StoredTensor> tensors;

  private ShardedTensors(
      Path folder, List<Path> files, List<Safetensors> shards, Map<String, StoredTensor> tensors) {
    this.folder = folder;
    this.files = List.copyOf(files);
    this.shards = List.copyOf(shards);
    this.tensors = Collections.unmodifiableMap(tensors);
  }

  /**
   * Opens the weights of a folder.
   *
   * @throws CheckpointException if there are none, a shard is missing, or index and shards differ
   */
  public static ShardedTensors open(Path folder) {
    Path single = folder.resolve(SINGLE);
    Path index = folder.resolve(INDEX);
    List<Safetensors> opened = new ArrayList<>();
    try {
      if (Files.exists(single)) {
        opened.add(Safetensors.open(single));
        Map<String, StoredTensor> tensors = new TreeMap<>();
        opened.getFirst().all().forEach(tensor -> tensors.put(tensor.name(), tensor));
        return new ShardedTensors(folder, List.of(single), opened, tensors);
      }
      if (Files.exists(index)) {
        return openShards(folder, index, opened);
      }
      throw new CheckpointException(
          "%s: there are no weights; expected %s or %s".formatted(folder, SINGLE, INDEX));
    } catch (RuntimeException e) {
      opened.forEach(Safetensors::close);
      throw e;
    }
  }

  private static ShardedTensors openShards(Path folder, Path index, List<Safetensors> opened) {
    Map<String, String> placement = new TreeMap<>();
    JsonNode map = JsonFile.read(index).node().path("weight_map");
    if (!map.isObject()) {
      throw new CheckpointException(index + ": there is no object 'weight_map'");
    }
    for (Map.Entry<String, JsonNode> entry : map.properties()) {
      placement.put(entry.getKey(), shardName(index, entry.getKey(), entry.getValue()));
    }
    List<Path> files = new ArrayList<>(List.of(index));
    Map<String, StoredTensor> tensors = new TreeMap<>();
    for (String shardName : new TreeSet<>(placement.values())) {
      Path file = folder.resolve(shardName);
      if (!Files.exists(file)) {
        throw new CheckpointException(
            "%s: the shard %s is not there, though %s names it"
                .formatted(folder, shardName, INDEX));
      }
      files.add(file);
      Safetensors shard = Safetensors.open(file);
      opened.add(shard);
      for (StoredTensor tensor : shard.all()) {
        if (!shardName.equals(placement.get(tensor.name()))) {
          throw new CheckpointException(
              "%s: tensor '%s' lies in this shard, but %s places it %s"
                  .formatted(
                      file,
                      tensor.name(),
                      INDEX,
                      placement.containsKey(tensor.name())
                          ? "in " + placement.get(tensor.name())
                          : "nowhere"));
        }
        tensors.put(tensor.name(), tensor);
      }
    }
    Set<String> absent = new HashSet<>(placement.keySet());
    absent.removeAll(tensors.keySet());
    if (!absent.isEmpty()) {
      String name = Collections.min(absent);
      throw new CheckpointException(
          "%s: tensor '%s' is not there, though %s places it here"
              .formatted(folder.resolve(placement.get(name)), name, INDEX));
    }
    return new ShardedTensors(folder, files, opened, tensors);
  }

  private static String shardName(Path index, String tensor, JsonNode node) {
    String name = node.isTextual() ? node.textValue() : "";
    if (name.isEmpty() || name.contains("/") || name.contains("\\") || name.startsWith("..")) {
      throw new CheckpointException(
          "%s: tensor '%s' is placed in %s; expected the name of a file in the same folder"
              .formatted(index, tensor, node));
    }
    return name;
  }

  /** The files that hold the weights; with shards, the index is the first. */
  public List<Path> files() {
    return files;
  }

  @Override
  public Path place() {
    return folder;
  }

  @Override
  public Optional<StoredTensor> find(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  @Override
  public Collection<StoredTensor> all() {
    return tensors.values();
  }

  @Override
  public void close() {
    shards.forEach(Safetensors::close);
  }
}
