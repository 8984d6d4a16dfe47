package dev.pi0stream.job.configuration;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * What the value of a setting may be.
 *
 * @param type of the value
 * @param expected what a wrong one is answered with; follows "expected"
 * @param reading of a text; empty where it is no such value
 * @param <T> of the value
 */
record ValueKind<T>(Class<T> type, String expected, Function<String, Optional<T>> reading) {
  private static final Pattern BROKERS =
      Pattern.compile("[^\\s,:]+:[0-9]{1,5}(,[^\\s,:]+:[0-9]{1,5})*");

  /** The names that Kafka takes for topics and that are safe in metrics and paths. */
  private static final Pattern TOPIC = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,248}");

  /** Any text but none. */
  static ValueKind<String> text(String expected) {
    return new ValueKind<>(
        String.class, expected, text -> Optional.of(text).filter(t -> !t.isBlank()));
  }

  /** One of an enum's constants, in small letters. */
  static <E extends Enum<E>> ValueKind<E> oneOf(Class<E> type) {
    List<E> constants = List.of(type.getEnumConstants());
    return new ValueKind<>(
        type,
        "one of " + String.join(", ", constants.stream().map(ValueKind::label).toList()),
        text -> constants.stream().filter(constant -> label(constant).equals(text)).findFirst());
  }

  /** A whole number within bounds, both included. */
  static ValueKind<Integer> wholeNumber(int least, int most) {
    return new ValueKind<>(
        Integer.class,
        "a whole number from %d to %d".formatted(least, most),
        text -> integer(text).filter(number -> least <= number && number <= most));
  }

  /** A time above zero. */
  static ValueKind<Duration> duration() {
    return new ValueKind<>(
        Duration.class, "a time such as 500ms, 20s, 5m or 1h30m", Durations::parse);
  }

  /** A time, or none. */
  static ValueKind<Duration> durationOrNone() {
    return new ValueKind<>(
        Duration.class,
        "a time such as 500ms, 20s, 5m or 1h30m, or 0s",
        text -> text.equals("0s") ? Optional.of(Duration.ZERO) : Durations.parse(text));
  }

  /** Yes or no. */
  static ValueKind<Boolean> truth() {
    return new ValueKind<>(
        Boolean.class,
        "true or false",
        text ->
            switch (text) {
              case "true" -> Optional.of(true);
              case "false" -> Optional.of(false);
              default -> Optional.empty();
            });
  }

  /**
   * Devices of one or several back ends.
   *
   * @param backEnds their names
   */
  static ValueKind<String> devices(List<String> backEnds) {
    String device = "(" + String.join("|", backEnds) + ")(:[0-9]{1,6})?";
    Pattern form = Pattern.compile(device + "(," + device + ")*");
    return new ValueKind<>(
        String.class,
        "one of %s; or devices by their numbers, such as %s:0,%2$s:1"
            .formatted(String.join(", ", backEnds), backEnds.getFirst()),
        text -> Optional.of(text).filter(t -> form.matcher(t).matches()));
  }

  /** Names, separated by commas; may be none. */
  static ValueKind<String> names() {
    return new ValueKind<>(
        String.class, "names, separated by commas, or ''", text -> Optional.of(text));
  }

  /** Host and port of brokers, separated by commas. */
  static ValueKind<String> brokers() {
    return new ValueKind<>(
        String.class,
        "host:port, or several separated by commas without blanks",
        text -> Optional.of(text).filter(t -> BROKERS.matcher(t).matches()));
  }

  /** The name of a Kafka topic. */
  static ValueKind<String> topic() {
    return new ValueKind<>(
        String.class,
        "at most 249 letters, digits, dots, hyphens and underscores, with no dot in front",
        text -> Optional.of(text).filter(t -> TOPIC.matcher(t).matches()));
  }

  /** How a value is written. */
  String written(Object value) {
    return switch (value) {
      case Enum<?> constant -> label(constant);
      case Duration duration -> Durations.format(duration);
      default -> value.toString();
    };
  }

  private static Optional<Integer> integer(String text) {
    try {
      return Optional.of(Integer.parseInt(text));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static String label(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
