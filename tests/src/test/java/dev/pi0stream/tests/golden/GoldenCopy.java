package dev.pi0stream.tests.golden;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.pi0stream.model.checkpoint.Safetensors;
import dev.pi0stream.model.checkpoint.SafetensorsWriter;
import dev.pi0stream.model.checkpoint.StoredTensor;
import dev.pi0stream.tests.cli.CommandLineRun;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Some files of the golden vectors in a folder of their own, where they can be spoiled. */
final class GoldenCopy {
  static final Path SOURCE = Path.of("golden");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;

  /**
   * Copies the files of some entries, and all checkpoints.
   *
   * @param files relative to the golden folder
   */
  GoldenCopy(Path folder, String... files) throws IOException {
    this.folder = folder;
    ObjectNode manifest = (ObjectNode) JSON.readTree(SOURCE.resolve("manifest.json").toFile());
    for (String section : new String[] {"cases", "rtc", "ops", "tokenizer", "preprocess"}) {
      ArrayNode kept = JSON.createArrayNode();
      for (JsonNode entry : manifest.path(section)) {
        if (Arrays.asList(files).contains(entry.path("file").asText())) {
          kept.add(entry);
        }
      }
      manifest.set(section, kept);
    }
    if (!Arrays.asList(files).contains("rtc/action-queue.json")) {
      manifest.remove("action_queue");
    }
    JSON.writeValue(folder.resolve("manifest.json").toFile(), manifest);
    for (String file : files) {
      copy(SOURCE.resolve(file), folder.resolve(file));
    }
    try (Stream<Path> checkpoints = Files.walk(SOURCE.resolve("checkpoints"))) {
      for (Path file : checkpoints.filter(Files::isRegularFile).toList()) {
        copy(file, folder.resolve(SOURCE.relativize(file)));
      }
    }
    copy(SOURCE.resolve("bf16-errors.json"), folder.resolve("bf16-errors.json"));
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to.getParent());
    Files.copy(from, to);
  }

  /** A file of the copy. */
  Path file(String name) {
    return folder.resolve(name);
  }

  /** Changes a JSON file. */
  void edit(String file, Consumer<JsonNode> change) throws IOException {
    JsonNode json = JSON.readTree(file(file).toFile());
    change.accept(json);
    JSON.writeValue(file(file).toFile(), json);
  }

  /** The first entry of a section of a manifest. */
  static ObjectNode first(JsonNode manifest, String section) {
    return (ObjectNode) manifest.path(section).path(0);
  }

  /** Changes the bytes of a tensor. */
  void spoil(String file, String tensor, Consumer<MemorySegment> change) throws IOException {
    rewrite(
        file,
        tensors -> {
          StoredTensor old = tensors.get(tensor);
          assertThat(old).as(tensor).isNotNull();
          MemorySegment bytes = MemorySegment.ofArray(old.data().toArray(ValueLayout.JAVA_BYTE));
          change.accept(bytes);
          tensors.put(tensor, new StoredTensor(tensor, old.type(), old.shape(), bytes, old.file()));
        });
  }

  /** Adds to one number of an F32 tensor. */
  void add(String file, String tensor, int index, float amount) throws IOException {
    ValueLayout.OfFloat number = ValueLayout.JAVA_FLOAT_UNALIGNED;
    spoil(
        file,
        tensor,
        bytes -> bytes.setAtIndex(number, index, bytes.getAtIndex(number, index) + amount));
  }

  /** Gives two tensors each other's names. */
  void swap(String file, String one, String other) throws IOException {
    rewrite(
        file,
        tensors -> {
          StoredTensor first = tensors.get(one);
          StoredTensor second = tensors.get(other);
          tensors.put(one, named(one, second));
          tensors.put(other, named(other, first));
        });
  }

  private static StoredTensor named(String name, StoredTensor tensor) {
    return new StoredTensor(name, tensor.type(), tensor.shape(), tensor.data(), tensor.file());
  }

  /** Rewrites a safetensors file. */
  void rewrite(String file, Consumer<Map<String, StoredTensor>> change) throws IOException {
    Path changed = file(file + ".changed");
    try (Safetensors source = Safetensors.open(file(file))) {
      Map<String, StoredTensor> tensors = new TreeMap<>();
      source.all().forEach(tensor -> tensors.put(tensor.name(), tensor));
      change.accept(tensors);
      SafetensorsWriter writer = new SafetensorsWriter();
      tensors.values().forEach(writer::tensor);
      writer.write(changed);
    }
    Files.move(changed, file(file), StandardCopyOption.REPLACE_EXISTING);
  }

  /** Verifies the copy on the reference device. */
  CommandLineRun verify() {
    return verify("reference", "fp32");
  }

  /** Verifies the copy. */
  CommandLineRun verify(String device, String precision) {
    return CommandLineRun.of(
        "verify", "--golden", folder.toString(), "--device", device, "--precision", precision);
  }
}
