package dev.pi0stream.job.configuration;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The values of all {@link Settings}: those that a file or an assignment gives, and for the others
 * their fallbacks. Whatever it holds is valid.
 */
public final class Configuration {
  private final Map<Setting<?>, Object> given;

  private Configuration(Map<Setting<?>, Object> given) {
    this.given = Map.copyOf(given);
  }

  /** Nothing given. */
  public static Configuration fallbacks() {
    return new Configuration(Map.of());
  }

  /**
   * Reads a YAML file.
   *
   * @throws ConfigurationException naming file, line and key, what was found and what was expected;
   *     for a key that there is not, the nearest one that there is
   */
  public static Configuration read(Path file) {
    Map<Setting<?>, Object> given = new HashMap<>();
    YamlSettings.read(file)
        .forEach(
            (key, value) ->
                put(given, "%s, line %d".formatted(file, value.line()), key, value.text()));
    return new Configuration(given);
  }

  /**
   * The same with other values.
   *
   * @param assignments each {@code KEY=VALUE}
   * @param place where they come from, such as {@code --set}
   * @throws ConfigurationException as for a file
   */
  public Configuration with(List<String> assignments, String place) {
    Map<Setting<?>, Object> all = new HashMap<>(given);
    for (String assignment : assignments) {
      int separator = assignment.indexOf('=');
      if (separator < 0) {
        throw new ConfigurationException(
            "%s '%s': expected KEY=VALUE".formatted(place, assignment));
      }
      put(all, place, assignment.substring(0, separator), assignment.substring(separator + 1));
    }
    return new Configuration(all);
  }

  /** The value of a setting; empty where it has neither been given nor has a fallback. */
  public <T> Optional<T> find(Setting<T> setting) {
    return isGiven(setting)
        ? Optional.of(setting.kind().type().cast(given.get(setting)))
        : setting.fallback();
  }

  /**
   * The value of a setting.
   *
   * @throws ConfigurationException where it has neither been given nor has a fallback
   */
  public <T> T get(Setting<T> setting) {
    return find(setting)
        .orElseThrow(
            () ->
                new ConfigurationException(
                    "%s is not set: expected %s"
                        .formatted(setting.key(), setting.kind().expected())));
  }

  /** Whether the file or an assignment says it. */
  public boolean isGiven(Setting<?> setting) {
    return given.containsKey(setting);
  }

  /** The value of a setting as it would be written; empty where there is none. */
  public Optional<String> written(Setting<?> setting) {
    return find(setting).map(setting.kind()::written);
  }

  private static void put(Map<Setting<?>, Object> given, String place, String key, String text) {
    Setting<?> setting =
        Settings.find(key)
            .orElseThrow(
                () ->
                    new ConfigurationException(
                        "%s: there is no setting %s: the nearest one is %s"
                            .formatted(place, key, NearestName.of(key, Settings.keys()))));
    Object value =
        setting
            .kind()
            .reading()
            .apply(text)
            .orElseThrow(
                () ->
                    new ConfigurationException(
                        "%s: %s is %s: expected %s"
                            .formatted(
                                place,
                                key,
                                text.isEmpty() ? "empty" : "'" + text + "'",
                                setting.kind().expected())));
    given.put(setting, value);
  }
}
