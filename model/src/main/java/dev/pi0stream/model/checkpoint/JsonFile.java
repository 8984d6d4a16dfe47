package dev.pi0stream.model.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A JSON object from a file, with getters that refuse what is missing or of another type in one
 * sentence. A field whose value is {@code null} counts as missing.
 *
 * @param file where it was read, for messages
 * @param place path of the object within the file, with a dot behind it; empty for the root
 */
public record JsonFile(Path file, String place, JsonNode node) {
  private static final ObjectReader JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build()
          .readerFor(JsonNode.class);

  public static JsonFile read(Path file) {
    try {
      return of(file, JSON.readValue(Files.readString(file)));
    } catch (NoSuchFileException e) {
      throw new CheckpointException(file + ": there is no such file", e);
    } catch (JsonProcessingException e) {
      throw new CheckpointException(
          "%s: is not JSON: %s".formatted(file, e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new CheckpointException("%s: cannot be read: %s".formatted(file, e.getMessage()), e);
    }
  }

  public static JsonFile of(Path file, JsonNode node) {
    if (node == null || !node.isObject()) {
      throw new CheckpointException(file + ": is not a JSON object");
    }
    return new JsonFile(file, "", node);
  }

  public boolean has(String field) {
    return node.hasNonNull(field);
  }

  /** The object in a field, which has to be there. */
  public JsonFile object(String field) {
    JsonNode value = value(field, "an object");
    if (!value.isObject()) {
      throw wrong(field, value, "an object");
    }
    return new JsonFile(file, place + field + ".", value);
  }

  public Optional<JsonFile> optionalObject(String field) {
    return has(field) ? Optional.of(object(field)) : Optional.empty();
  }

  public String text(String field) {
    JsonNode value = value(field, "text");
    if (!value.isTextual()) {
      throw wrong(field, value, "text");
    }
    return value.textValue();
  }

  /** An integer, at least {@code least}. */
  public int integer(String field, int least) {
    String expected = least == 1 ? "a positive integer" : "an integer from " + least;
    JsonNode value = value(field, expected);
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.intValue() < least) {
      throw wrong(field, value, expected);
    }
    return value.intValue();
  }

  public int integer(String field, int least, int otherwise) {
    return has(field) ? integer(field, least) : otherwise;
  }

  /** A number above 0. */
  public double positive(String field, double otherwise) {
    if (!has(field)) {
      return otherwise;
    }
    JsonNode value = node.get(field);
    if (!value.isNumber() || !(value.doubleValue() > 0) || Double.isInfinite(value.doubleValue())) {
      throw wrong(field, value, "a positive number");
    }
    return value.doubleValue();
  }

  public boolean flag(String field, boolean otherwise) {
    if (!has(field)) {
      return otherwise;
    }
    JsonNode value = node.get(field);
    if (!value.isBoolean()) {
      throw wrong(field, value, "true or false");
    }
    return value.booleanValue();
  }

  /** A list of positive integers. */
  public List<Integer> integers(String field) {
    JsonNode value = value(field, "a list of positive integers");
    List<Integer> integers = new ArrayList<>();
    for (JsonNode element : value) {
      if (!element.isIntegralNumber() || !element.canConvertToInt() || element.intValue() < 1) {
        throw wrong(field, value, "a list of positive integers");
      }
      integers.add(element.intValue());
    }
    if (!value.isArray()) {
      throw wrong(field, value, "a list of positive integers");
    }
    return integers;
  }

  public List<String> texts(String field) {
    JsonNode value = value(field, "a list of texts");
    List<String> texts = new ArrayList<>();
    for (JsonNode element : value) {
      if (!element.isTextual()) {
        throw wrong(field, value, "a list of texts");
      }
      texts.add(element.textValue());
    }
    if (!value.isArray()) {
      throw wrong(field, value, "a list of texts");
    }
    return texts;
  }

  public <E extends Enum<E>> E oneOf(String field, Class<E> type) {
    return oneOf(field, text(field), type);
  }

  private <E extends Enum<E>> E oneOf(String field, String text, Class<E> type) {
    for (E constant : type.getEnumConstants()) {
      if (constant.name().equalsIgnoreCase(text)) {
        return constant;
      }
    }
    throw new CheckpointException(
        "%s: field '%s%s' is '%s'; expected one of %s"
            .formatted(file, place, field, text, List.of(type.getEnumConstants())));
  }

  public CheckpointException wrong(String field, JsonNode found, String expected) {
    return new CheckpointException(
        "%s: field '%s%s' is %s; expected %s".formatted(file, place, field, found, expected));
  }

  private JsonNode value(String field, String expected) {
    if (!has(field)) {
      throw new CheckpointException(
          "%s: field '%s%s' is missing; expected %s".formatted(file, place, field, expected));
    }
    return node.get(field);
  }
}
