package dev.pi0stream.job.configuration;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** The reference page of all settings, {@code docs/configuration.md}. */
public final class ReferencePage {
  private static final Map<String, String> SECTIONS = new LinkedHashMap<>();

  static {
    SECTIONS.put("policy", "The policy and what computes it.");
    SECTIONS.put("job", "The Flink job.");
    SECTIONS.put("kafka", "Where observations come from and chunks go to.");
    SECTIONS.put("kafka.topics", "The names of the topics.");
    SECTIONS.put(
        "kafka.create",
        "What `pi0 topics` and `pi0 run` give to topics that they create. Topics that exist stay as"
            + " they are.");
    SECTIONS.put("telemetry", "What is told of the robots' experience.");
    SECTIONS.put(
        "limits",
        "The most that an observation may hold, whatever the policy; it bounds memory and time spent"
            + " on one message. What is larger is rejected.");
  }

  private ReferencePage() {}

  /** The page, in Markdown. */
  public static String text() {
    return head()
        + SECTIONS.entrySet().stream()
            .map(section -> section(section.getKey(), section.getValue()))
            .collect(Collectors.joining());
  }

  private static String head() {
    return """
        # Settings

        The job and the commands that take `--config FILE` read these from a YAML file;
        [conf/pi0.yaml](../conf/pi0.yaml) is the one that ships. What a file does not say has the value given here. `--set KEY=VALUE`,
        which may be given several times, is stronger than the file. Flink's own settings are in
        [conf/config.yaml](../conf/config.yaml).

        A file is checked before anything starts. A key that there is not is refused with the nearest one that there is, a wrong value
        with what was expected, each with file, line and key:

        ```
        conf/pi0.yaml, line 9: there is no setting policy.devise: the nearest one is policy.device
        conf/pi0.yaml, line 9: policy.device is 'gpu': expected %s
        ```

        `./pi0 config --config FILE` checks a file and shows what holds with it. This page is made by `./pi0 config --page`.
        """
        .formatted(Settings.DEVICE.kind().expected());
  }

  private static String section(String section, String description) {
    return Settings.ALL.stream()
        .filter(setting -> setting.section().equals(section))
        .map(ReferencePage::row)
        .collect(
            Collectors.joining(
                "",
                "\n## %s\n\n%s\n\n| key | expected | if not given | |\n|---|---|---|---|\n"
                    .formatted(section, description),
                ""));
  }

  private static String row(Setting<?> setting) {
    return "| `%s` | %s | %s | %s |\n"
        .formatted(
            setting.name(),
            setting.kind().expected(),
            Configuration.fallbacks().written(setting).map("`%s`"::formatted).orElse("none"),
            setting.description());
  }
}
