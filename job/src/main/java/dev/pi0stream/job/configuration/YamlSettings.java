package dev.pi0stream.job.configuration;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * What a YAML file says, key by key, with the line that says it. Sections are mappings, values are
 * scalars as they are written; a section that there is not, a list and a key that comes twice are
 * refused.
 */
final class YamlSettings {
  private final Path file;
  private final Map<String, Value> values = new LinkedHashMap<>();

  /**
   * A value as it is written.
   *
   * @param line counted from 1
   */
  record Value(String text, int line) {}

  private YamlSettings(Path file) {
    this.file = file;
  }

  /**
   * Reads a file.
   *
   * @return the values by their keys, in the order of the file
   * @throws ConfigurationException naming file and line
   */
  static Map<String, Value> read(Path file) {
    YamlSettings settings = new YamlSettings(file);
    settings.root(text(file)).ifPresent(root -> settings.take("", root));
    return settings.values;
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      throw new ConfigurationException(file + ": there is no such file", e);
    } catch (CharacterCodingException e) {
      throw new ConfigurationException(file + " is no text in UTF-8", e);
    } catch (IOException e) {
      throw new ConfigurationException("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }

  private Optional<Node> root(String text) {
    LoadSettings settings = LoadSettings.builder().setLabel(file.toString()).build();
    try {
      return new Compose(settings)
          .composeString(text)
          // A file of comments only.
          .filter(node -> !(node instanceof ScalarNode scalar && scalar.getValue().isEmpty()));
    } catch (MarkedYamlEngineException e) {
      throw new ConfigurationException(
          "%s is not YAML: %s"
              .formatted(
                  e.getProblemMark().map(mark -> place(mark.getLine() + 1)).orElse(file.toString()),
                  e.getProblem()),
          e);
    } catch (YamlEngineException e) {
      throw new ConfigurationException("%s is not YAML: %s".formatted(file, e.getMessage()), e);
    }
  }

  private void take(String key, Node node) {
    int line = line(node);
    boolean section = key.isEmpty() || Settings.sections().contains(key);
    switch (node) {
      case MappingNode mapping when section -> {
        Map<String, Integer> lines = new HashMap<>();
        for (NodeTuple entry : mapping.getValue()) {
          String child = key.isEmpty() ? name(entry) : key + "." + name(entry);
          int here = line(entry.getKeyNode());
          Integer earlier = lines.put(child, here);
          if (earlier != null) {
            throw new ConfigurationException(
                "%s: %s is given a second time, before that in line %d"
                    .formatted(place(here), child, earlier));
          }
          take(child, entry.getValueNode());
        }
      }
      case MappingNode _ when Settings.find(key).isEmpty() ->
          throw new ConfigurationException(
              "%s: there is no section %s: the nearest one is %s"
                  .formatted(place(line), key, NearestName.of(key, Settings.sections())));
      case ScalarNode scalar when !section -> {
        String text = scalar.getTag().equals(Tag.NULL) ? "" : scalar.getValue();
        values.put(key, new Value(text, line));
      }
      default ->
          throw new ConfigurationException(
              "%s: %s is %s: expected %s"
                  .formatted(
                      place(line),
                      key.isEmpty() ? "the file" : key,
                      description(node),
                      section ? "settings by their names" : "one value"));
    }
  }

  private String name(NodeTuple entry) {
    if (entry.getKeyNode() instanceof ScalarNode name) {
      return name.getValue();
    }
    throw new ConfigurationException(
        "%s: a key is %s: expected a name"
            .formatted(place(line(entry.getKeyNode())), description(entry.getKeyNode())));
  }

  private static int line(Node node) {
    return node.getStartMark().map(mark -> mark.getLine() + 1).orElse(1);
  }

  private String place(int line) {
    return "%s, line %d".formatted(file, line);
  }

  private static String description(Node node) {
    return switch (node) {
      case ScalarNode scalar when scalar.getTag().equals(Tag.NULL) -> "empty";
      case ScalarNode scalar -> "'%s'".formatted(scalar.getValue());
      case MappingNode _ -> "a mapping";
      default -> "a list";
    };
  }
}
