package dev.pi0stream.model.checkpoint;

import dev.pi0stream.device.Heads;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the sizes of a network: from the shapes of its tensors; what they cannot tell, how many
 * heads there are, from {@code dimensions.json} where there is one, or from the published sizes
 * where the shapes are theirs.
 */
final class DimensionsReader {
  static final String FILE = "dimensions.json";

  /** Gemma's variants in openpi's {@code gemma.py}; all have heads of 256. */
  private record Variant(int width, int mlp, Heads heads) {}

  private static final List<Variant> GEMMA =
      List.of(
          new Variant(2048, 16384, new Heads(8, 1, 256)),
          new Variant(1024, 4096, new Heads(8, 1, 256)));

  private static final int SO400M_WIDTH = 1152;
  private static final int SO400M_MLP = 4304;
  private static final int SO400M_HEADS = 16;

  private final Path folder;
  private final Map<String, StoredTensor> tensors;
  private final Optional<JsonFile> declared;

  private DimensionsReader(Path folder, Map<String, StoredTensor> tensors) {
    this.folder = folder;
    this.tensors = tensors;
    Path file = folder.resolve(FILE);
    this.declared = Files.exists(file) ? Optional.of(JsonFile.read(file)) : Optional.empty();
  }

  /**
   * Reads the sizes.
   *
   * @param tensors by our names
   * @param table the embedding table
   */
  static Dimensions read(
      Path folder, PolicyType type, Map<String, StoredTensor> tensors, StoredTensor table) {
    return new DimensionsReader(folder, tensors).read(type, table);
  }

  private Dimensions read(PolicyType type, StoredTensor table) {
    if (declared.isPresent() && declared.get().has("policy")) {
      PolicyType policy = declared.get().oneOf("policy", PolicyType.class);
      if (policy != type) {
        throw new CheckpointException(
            "%s: field 'policy' is %s, but %s and the tensors are those of %s"
                .formatted(declared.get().file(), policy, PolicyConfig.FILE, type));
      }
    }
    Dimensions.Vision vision = vision();
    Dimensions.Stack language = stack("language", TensorNames.LANGUAGE);
    Dimensions.Stack expert = stack("expert", TensorNames.EXPERT);
    int vocabulary = sizes(table, 2).getFirst();
    check(declared, "vocabulary", vocabulary, table);
    try {
      return new Dimensions(
          vision,
          language,
          expert,
          vocabulary,
          declared.map(json -> json.positive("rope_theta", 10_000)).orElse(10_000.0),
          declared.map(json -> json.positive("rms_norm_eps", 1e-6)).orElse(1e-6).floatValue(),
          declared.map(json -> json.positive("layer_norm_eps", 1e-6)).orElse(1e-6).floatValue());
    } catch (IllegalArgumentException e) {
      throw new CheckpointException("%s: %s".formatted(folder, e.getMessage()), e);
    }
  }

  private Dimensions.Vision vision() {
    String prefix = TensorNames.VISION;
    StoredTensor kernels = tensor(prefix + "embeddings.patch_embedding.weight");
    List<Integer> sizes = sizes(kernels, 4);
    int width = sizes.get(0);
    int patch = sizes.get(2);
    if (sizes.get(1) != 3 || sizes.get(3) != patch || patch < 1 || width < 1) {
      throw shape(kernels, "[width, 3, patch, patch]");
    }
    StoredTensor positions = tensor(prefix + "embeddings.position_embedding.weight");
    int count = sizes(positions, 2).getFirst();
    int grid = (int) Math.round(Math.sqrt(count));
    if (grid * grid != count || count < 1) {
      throw shape(positions, "a square number of positions");
    }
    int layers = layers(prefix + "encoder.layers.");
    StoredTensor fc1 = tensor(prefix + "encoder.layers.0.mlp.fc1.weight");
    int mlp = sizes(fc1, 2).getFirst();
    Optional<JsonFile> json = declared.flatMap(all -> all.optionalObject("vision"));
    check(json, "width", width, kernels);
    check(json, "patch", patch, kernels);
    check(json, "mlp", mlp, fc1);
    check(json, "layers", layers, fc1);
    checkResolution(patch, grid, positions);
    int heads =
        json.map(declaredSizes -> declaredSizes.integer("heads", 1))
            .orElseGet(() -> publishedVisionHeads(width, mlp, kernels));
    if (width % heads != 0) {
      throw new CheckpointException(
          "%s: field 'vision.heads' is %d; expected a divisor of the width, which is %d"
              .formatted(folder.resolve(FILE), heads, width));
    }
    return new Dimensions.Vision(width, mlp, layers, heads, patch, grid);
  }

  private void checkResolution(int patch, int grid, StoredTensor positions) {
    if (declared.isEmpty() || !declared.get().has("image_resolution")) {
      return;
    }
    for (int side : declared.get().integers("image_resolution")) {
      if (side / patch != grid) {
        throw new CheckpointException(
            ("%s: field 'image_resolution' has %d, but tensor '%s' has positions for"
                    + " %d × %d patches of %d pixels")
                .formatted(declared.get().file(), side, positions.name(), grid, grid, patch));
      }
    }
  }

  private int publishedVisionHeads(int width, int mlp, StoredTensor kernels) {
    if (width != SO400M_WIDTH || mlp != SO400M_MLP) {
      throw unknownHeads("vision", kernels);
    }
    return SO400M_HEADS;
  }

  private Dimensions.Stack stack(String part, String prefix) {
    String layer = prefix + "layers.0.";
    int layers = layers(prefix + "layers.");
    StoredTensor query = tensor(layer + "self_attn.q_proj.weight");
    StoredTensor key = tensor(layer + "self_attn.k_proj.weight");
    StoredTensor gate = tensor(layer + "mlp.gate_proj.weight");
    int width = sizes(query, 2).getLast();
    int queryRows = sizes(query, 2).getFirst();
    int keyRows = sizes(key, 2).getFirst();
    int mlp = sizes(gate, 2).getFirst();
    Optional<JsonFile> json = declared.flatMap(all -> all.optionalObject(part));
    check(json, "width", width, query);
    check(json, "mlp", mlp, gate);
    check(json, "layers", layers, query);
    Heads heads =
        json.map(sizes -> heads(sizes, query, key))
            .orElseGet(() -> publishedHeads(part, width, mlp, query));
    if (heads.queryColumns() != queryRows || heads.keyValueColumns() != keyRows) {
      throw new CheckpointException(
          "%s: %s are %d and %d rows, but tensors '%s' and '%s' have %d and %d"
              .formatted(
                  json.map(JsonFile::file).orElse(folder),
                  heads,
                  heads.queryColumns(),
                  heads.keyValueColumns(),
                  query.name(),
                  key.name(),
                  queryRows,
                  keyRows));
    }
    return new Dimensions.Stack(width, mlp, layers, heads);
  }

  private static Heads heads(JsonFile json, StoredTensor query, StoredTensor key) {
    int count = json.integer("heads", 1);
    int keyValue = json.integer("kv_heads", 1);
    int size = json.integer("head_dim", 1);
    if (count % keyValue != 0 || size % 2 != 0) {
      throw new CheckpointException(
          ("%s: '%s' has %d heads, %d kv_heads and a head_dim of %d for tensors '%s' and '%s';"
                  + " expected a multiple of kv_heads and an even head_dim")
              .formatted(
                  json.file(), json.place(), count, keyValue, size, query.name(), key.name()));
    }
    return new Heads(count, keyValue, size);
  }

  private Heads publishedHeads(String part, int width, int mlp, StoredTensor query) {
    return GEMMA.stream()
        .filter(variant -> variant.width == width && variant.mlp == mlp)
        .map(Variant::heads)
        .findFirst()
        .orElseThrow(() -> unknownHeads(part, query));
  }

  private CheckpointException unknownHeads(String part, StoredTensor tensor) {
    return new CheckpointException(
        ("%s: the number of heads of '%s' does not follow from tensor '%s' of shape %s, which has"
                + " none of the published sizes; expected a %s that says it")
            .formatted(folder, part, tensor.name(), tensor.shapeText(), FILE));
  }

  private int layers(String prefix) {
    Pattern pattern = Pattern.compile(Pattern.quote(prefix) + "(\\d{1,4})\\..*");
    return tensors.keySet().stream()
            .map(pattern::matcher)
            .filter(Matcher::matches)
            .mapToInt(matcher -> Integer.parseInt(matcher.group(1)))
            .max()
            .orElse(0)
        + 1;
  }

  private static void check(
      Optional<JsonFile> declared, String field, int found, StoredTensor from) {
    if (declared.isEmpty() || !declared.get().has(field)) {
      return;
    }
    int size = declared.get().integer(field, 1);
    if (size != found) {
      throw new CheckpointException(
          "%s: field '%s%s' is %d, but the tensors make it %d ('%s' has shape %s)"
              .formatted(
                  declared.get().file(),
                  declared.get().place(),
                  field,
                  size,
                  found,
                  from.name(),
                  from.shapeText()));
    }
  }

  private StoredTensor tensor(String name) {
    StoredTensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new CheckpointException("%s: tensor '%s' is missing".formatted(folder, name));
    }
    return tensor;
  }

  private static List<Integer> sizes(StoredTensor tensor, int rank) {
    if (tensor.shape().size() != rank) {
      throw shape(tensor, rank + " dimensions");
    }
    return tensor.shape();
  }

  private static CheckpointException shape(StoredTensor tensor, String expected) {
    return new CheckpointException(
        "%s: tensor '%s' has shape %s; expected %s"
            .formatted(tensor.file(), tensor.name(), tensor.shapeText(), expected));
  }
}
