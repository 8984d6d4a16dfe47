package dev.pi0stream.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** LeRobot's and openpi's vectors under {@code tests/golden}. */
public final class Golden {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The folder, seen from this module's. */
  public static final Path FOLDER = Path.of("..", "tests", "golden");

  private Golden() {}

  /** The index of everything. */
  public static JsonNode manifest() {
    return json("manifest.json");
  }

  public static JsonNode json(String file) {
    try {
      return JSON.readTree(FOLDER.resolve(file).toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The manifest's entries for an operation, of {@code ops} and {@code preprocess}. */
  public static List<JsonNode> entries(String op) {
    List<JsonNode> entries = new ArrayList<>();
    for (String section : List.of("ops", "preprocess")) {
      for (JsonNode entry : manifest().path(section)) {
        if (entry.path("op").asText().equals(op)) {
          entries.add(entry);
        }
      }
    }
    if (entries.isEmpty()) {
      throw new IllegalStateException("no golden vectors of " + op);
    }
    return entries;
  }

  /** The file of an entry. */
  public static Path file(JsonNode entry) {
    return FOLDER.resolve(entry.path("file").asText());
  }
}
