package dev.pi0stream.model.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.util.TokenBuffer;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a {@code tokenizer.json} as a stream (Gemma's has 17 MB) and refuses what would change ids
 * and is not done here, so that a tokenizer that loads is the tokenizer that was meant.
 */
final class TokenizerReader {
  /** No tokenizer has more entries; a larger id is a broken file and not a reason to allocate. */
  private static final int MAX_ENTRIES = 1 << 22;

  // A quarter of a million different names would only fill the factory's table of names.
  private static final ObjectMapper JSON =
      new ObjectMapper(
          JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build());

  private final String file;
  private final Map<String, Integer> entries = new HashMap<>(1 << 19);
  private final Merges.Builder merges = new Merges.Builder();
  private final BitSet ids = new BitSet();
  private boolean hasMerges;

  TokenizerReader(String file) {
    this.file = file;
  }

  Tokenizer read(InputStream in) throws IOException {
    Map<String, JsonNode> sections = new HashMap<>();
    Map<String, JsonNode> options = new HashMap<>();
    try (JsonParser parser = JSON.createParser(in)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw broken("it does not begin with a JSON object");
      }
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        if (name.equals("model")) {
          readModel(parser, options);
        } else {
          sections.put(name, parser.readValueAsTree());
        }
      }
    } catch (JsonProcessingException e) {
      throw new TokenizerException(
          "%s: is not JSON: %s (line %d)"
              .formatted(file, e.getOriginalMessage(), e.getLocation().getLineNr()),
          e);
    }
    return build(sections, options);
  }

  private Tokenizer build(Map<String, JsonNode> sections, Map<String, JsonNode> options) {
    if (entries.isEmpty()) {
      throw broken("\"model\" is missing");
    }
    checkOptions(options);
    List<Tokenizer.Replacement> normalizer = normalizer(section(sections, "normalizer"));
    checkPreTokenizer(section(sections, "pre_tokenizer"), normalizer);
    Vocabulary vocabulary = new Vocabulary(entries, ids.length(), is(options, "byte_fallback"));
    List<AddedToken> added = addedTokens(section(sections, "added_tokens"));
    return new Tokenizer(
        new Tokenizer.Parts(
            vocabulary,
            merges.build(),
            unknown(options, vocabulary),
            is(options, "fuse_unk"),
            normalizer,
            added,
            prefix(section(sections, "post_processor")),
            decoder(section(sections, "decoder"))));
  }

  // ------------------------------------------------------------------ model

  private void readModel(JsonParser parser, Map<String, JsonNode> options) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw broken("\"model\" is not an object");
    }
    TokenBuffer early = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      switch (name) {
        case "vocab" -> readVocabulary(parser);
        case "merges" -> {
          if (entries.isEmpty()) { // their ids are not known yet
            early = new TokenBuffer(parser);
            early.copyCurrentStructure(parser);
          } else {
            readMerges(parser);
          }
        }
        default -> options.put(name, parser.readValueAsTree());
      }
    }
    if (entries.isEmpty()) {
      throw broken("\"model.vocab\" is missing or empty");
    }
    if (early != null) {
      try (JsonParser later = early.asParser()) {
        later.nextToken();
        readMerges(later);
      }
    }
    if (!hasMerges) {
      throw broken("\"model.merges\" is missing");
    }
  }

  private void readVocabulary(JsonParser parser) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw broken("\"model.vocab\" is not an object of entries and ids");
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String text = parser.currentName();
      if (parser.nextToken() != JsonToken.VALUE_NUMBER_INT) {
        throw broken("the id of vocabulary entry \"%s\" is not a whole number".formatted(text));
      }
      long id = parser.getLongValue();
      if (id < 0 || id >= MAX_ENTRIES) {
        throw broken(
            "vocabulary entry \"%s\" has id %d: expected 0 to %d"
                .formatted(text, id, MAX_ENTRIES - 1));
      }
      if (entries.put(text, (int) id) != null) {
        throw broken("vocabulary entry \"%s\" is there twice".formatted(text));
      }
      if (ids.get((int) id)) {
        throw broken("vocabulary id %d belongs to two entries".formatted(id));
      }
      ids.set((int) id);
    }
  }

  /** Both forms: {@code "a b"}, and {@code ["a", "b"]} since tokenizers 0.20. */
  private void readMerges(JsonParser parser) throws IOException {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      throw broken("\"model.merges\" is not a list");
    }
    hasMerges = true;
    for (int rank = 0; parser.nextToken() != JsonToken.END_ARRAY; rank++) {
      String left;
      String right;
      if (parser.currentToken() == JsonToken.VALUE_STRING) {
        String pair = parser.getText();
        int space = pair.indexOf(' ');
        if (space < 0 || pair.indexOf(' ', space + 1) >= 0) {
          throw broken(
              "merge %d is \"%s\": expected two entries and a space".formatted(rank, pair));
        }
        left = pair.substring(0, space);
        right = pair.substring(space + 1);
      } else if (parser.currentToken() == JsonToken.START_ARRAY) {
        left = parser.nextTextValue();
        right = parser.nextTextValue();
        if (left == null || right == null || parser.nextToken() != JsonToken.END_ARRAY) {
          throw broken("merge %d is not a pair of entries".formatted(rank));
        }
      } else {
        throw broken("merge %d is neither a text nor a pair of entries".formatted(rank));
      }
      merges.add(mergeEntry(left, rank), mergeEntry(right, rank), mergeEntry(left + right, rank));
    }
  }

  private int mergeEntry(String text, int rank) {
    Integer id = entries.get(text);
    if (id == null) {
      throw broken("merge %d needs \"%s\", which is not in the vocabulary".formatted(rank, text));
    }
    return id;
  }

  private void checkOptions(Map<String, JsonNode> options) {
    JsonNode type = options.get("type");
    if (type != null && !type.asText().equals("BPE")) {
      throw broken("the model is of type %s: expected BPE".formatted(type));
    }
    for (String name :
        List.of("dropout", "continuing_subword_prefix", "end_of_word_suffix", "ignore_merges")) {
      JsonNode value = options.get(name);
      boolean unset =
          value == null
              || value.isNull()
              || (value.isBoolean() && !value.asBoolean())
              || (value.isTextual() && value.asText().isEmpty())
              || (value.isNumber() && value.asDouble() == 0);
      if (!unset) {
        throw broken(
            "\"model.%s\" is %s: Gemma's tokenizers have none, and it is not supported"
                .formatted(name, value));
      }
    }
  }

  /** The unknown entry's id; every character must have an id, since none may be lost. */
  private int unknown(Map<String, JsonNode> options, Vocabulary vocabulary) {
    JsonNode name = options.get("unk_token");
    if (name != null && name.isTextual()) {
      Integer id = entries.get(name.asText());
      if (id == null) {
        throw broken("\"model.unk_token\" is %s, which is not in the vocabulary".formatted(name));
      }
      return id;
    }
    for (int value = 0; value < 256; value++) {
      boolean covered =
          vocabulary.byteFallback((byte) value) != Vocabulary.NONE
              || (value < 128 && vocabulary.character(value) != Vocabulary.NONE);
      if (!covered) {
        throw broken(
            "it has no \"model.unk_token\", and no entry stands for byte 0x%02X".formatted(value));
      }
    }
    return Vocabulary.NONE;
  }

  private static boolean is(Map<String, JsonNode> options, String name) {
    return options.containsKey(name) && options.get(name).asBoolean();
  }

  // ------------------------------------------------------------------ around the model

  private List<Tokenizer.Replacement> normalizer(JsonNode node) {
    if (node == null) {
      return List.of();
    }
    return switch (type(node)) {
      case "Replace" -> List.of(replacement(node, "normalizer"));
      case "Sequence" -> {
        List<Tokenizer.Replacement> all = new ArrayList<>();
        node.path("normalizers").forEach(step -> all.addAll(normalizer(step)));
        yield all;
      }
      default -> throw unsupported("normalizer", node, "Replace");
    };
  }

  private Tokenizer.Replacement replacement(JsonNode node, String where) {
    JsonNode pattern = node.path("pattern").path("String");
    JsonNode content = node.path("content");
    if (!pattern.isTextual() || pattern.asText().isEmpty() || !content.isTextual()) {
      throw broken("\"%s\" is %s: expected a Replace of a text by a text".formatted(where, node));
    }
    return new Tokenizer.Replacement(pattern.asText(), content.asText());
  }

  /**
   * Newer Gemma files split at spaces, of which the normaliser has left none: that does nothing.
   */
  private void checkPreTokenizer(JsonNode node, List<Tokenizer.Replacement> normalizer) {
    if (node == null) {
      return;
    }
    String pattern = node.path("pattern").path("String").asText();
    boolean gone =
        type(node).equals("Split")
            && !node.path("invert").asBoolean()
            && !pattern.isEmpty()
            && !normalizer.isEmpty()
            && normalizer.getLast().pattern().equals(pattern)
            && !normalizer.getLast().content().contains(pattern);
    if (!gone) {
      throw unsupported("pre_tokenizer", node, "none, or a Split at what the normalizer replaces");
    }
  }

  private List<AddedToken> addedTokens(JsonNode node) {
    List<AddedToken> added = new ArrayList<>();
    if (node == null) {
      return added;
    }
    for (JsonNode token : node) {
      String content = token.path("content").asText();
      if (content.isEmpty() || !token.path("id").isInt()) {
        throw broken("added token %s has no content or no id".formatted(token));
      }
      int id = token.path("id").asInt();
      Integer known = entries.get(content);
      if (id < 0
          || id >= MAX_ENTRIES
          || (known != null && known != id)
          || (known == null && ids.get(id))) {
        throw broken(
            "added token \"%s\" has id %d, which is not its own in the vocabulary"
                .formatted(content, id));
      }
      ids.set(id);
      entries.put(content, id);
      added.add(
          new AddedToken(
              id,
              content,
              token.path("single_word").asBoolean(),
              token.path("lstrip").asBoolean(),
              token.path("rstrip").asBoolean(),
              token.path("normalized").asBoolean(true),
              token.path("special").asBoolean()));
    }
    return added;
  }

  /** The ids that a TemplateProcessing puts before a sequence. */
  private int[] prefix(JsonNode node) {
    if (node == null) {
      return new int[0];
    }
    if (!type(node).equals("TemplateProcessing")) {
      throw unsupported("post_processor", node, "TemplateProcessing");
    }
    List<Integer> prefix = new ArrayList<>();
    boolean sequence = false;
    for (JsonNode part : node.path("single")) {
      if (part.has("Sequence")) {
        sequence = true;
        continue;
      }
      String name = part.path("SpecialToken").path("id").asText();
      JsonNode values = node.path("special_tokens").path(name).path("ids");
      if (sequence || !values.isArray() || values.isEmpty()) {
        throw broken(
            "\"post_processor\" has %s: expected special tokens with ids before the sequence"
                .formatted(part));
      }
      values.forEach(value -> prefix.add(value.asInt()));
    }
    if (!sequence) {
      throw broken("\"post_processor.single\" has no sequence");
    }
    for (int id : prefix) {
      if (id < 0 || !ids.get(id)) {
        throw broken("\"post_processor\" adds id %d, which is not in the vocabulary".formatted(id));
      }
    }
    return prefix.stream().mapToInt(Integer::intValue).toArray();
  }

  private List<Tokenizer.DecoderStep> decoder(JsonNode node) {
    if (node == null) {
      throw broken("\"decoder\" is missing");
    }
    return switch (type(node)) {
      case "Sequence" -> {
        List<Tokenizer.DecoderStep> steps = new ArrayList<>();
        node.path("decoders").forEach(step -> steps.addAll(decoder(step)));
        yield steps;
      }
      case "Replace" -> List.of(new Tokenizer.DecoderStep.Replace(replacement(node, "decoder")));
      case "ByteFallback" -> List.of(new Tokenizer.DecoderStep.ByteFallback());
      case "Fuse" -> List.of(new Tokenizer.DecoderStep.Fuse());
      default -> throw unsupported("decoder", node, "Sequence of Replace, ByteFallback and Fuse");
    };
  }

  private static JsonNode section(Map<String, JsonNode> sections, String name) {
    JsonNode node = sections.get(name);
    return node == null || node.isNull() ? null : node;
  }

  private static String type(JsonNode node) {
    return node.path("type").asText();
  }

  private TokenizerException unsupported(String where, JsonNode node, String expected) {
    return broken("\"%s\" is of type \"%s\": expected %s".formatted(where, type(node), expected));
  }

  private TokenizerException broken(String what) {
    return new TokenizerException(file + ": is not a usable tokenizer: " + what);
  }
}
