package dev.pi0stream.model.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import com.fasterxml.jackson.databind.JsonNode;
import dev.pi0stream.model.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class TokenizerTest {
  private static final String VOCABULARY =
      "{\"<unk>\": 0, \"<s>\": 1, \"a\": 2, \"b\": 3, \"c\": 4, \"ab\": 5, \"bc\": 6, \"abc\": 7,"
          + " \"▁\": 8, \"<0xC3>\": 9, \"<0xA9>\": 10}";
  private static final String REST =
      "\"normalizer\": {\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"▁\"},"
          + " \"post_processor\": {\"type\": \"TemplateProcessing\", \"single\":"
          + " [{\"SpecialToken\": {\"id\": \"<s>\", \"type_id\": 0}}, {\"Sequence\": {\"id\": \"A\","
          + " \"type_id\": 0}}], \"special_tokens\": {\"<s>\": {\"id\": \"<s>\", \"ids\": [1],"
          + " \"tokens\": [\"<s>\"]}}}, \"decoder\": {\"type\": \"Sequence\", \"decoders\":"
          + " [{\"type\": \"Replace\", \"pattern\": {\"String\": \"▁\"}, \"content\": \" \"},"
          + " {\"type\": \"ByteFallback\"}, {\"type\": \"Fuse\"}]}";

  @TempDir private Path folder;

  @Test
  void idsAndTextsEqualHuggingFaces() {
    for (JsonNode entry : Golden.manifest().path("tokenizer")) {
      Path file = Golden.FOLDER.resolve(entry.path("tokenizer").asText());
      if (Files.exists(file)) {
        assertEqualToHuggingFace(Tokenizer.read(file), Golden.json(entry.path("file").asText()));
      }
    }
  }

  @Test
  void idsOfGemmasWholeVocabularyEqualHuggingFaces() throws Exception {
    JsonNode golden = Golden.json("tokenizer/gemma.json");
    Path file;
    try {
      file = GemmaTokenizerFile.find(golden.path("sha256").asText());
    } catch (GemmaTokenizerFile.UnavailableException e) {
      System.out.println("Not compared with Gemma's whole vocabulary: " + e.getMessage());
      abort(e.getMessage());
      return;
    }
    Tokenizer tokenizer = Tokenizer.read(file);
    assertThat(tokenizer.size()).isEqualTo(golden.path("entries").asInt());
    assertEqualToHuggingFace(tokenizer, golden);
  }

  private static void assertEqualToHuggingFace(Tokenizer tokenizer, JsonNode golden) {
    assertThat(golden.path("cases")).isNotEmpty();
    for (JsonNode entry : golden.path("cases")) {
      String text = entry.path("text").asText();
      int[] ids =
          StreamSupport.stream(entry.path("ids").spliterator(), false)
              .mapToInt(JsonNode::asInt)
              .toArray();
      assertThat(tokenizer.encode(text)).as(text).isEqualTo(ids);
      assertThat(tokenizer.decode(ids)).as(text).isEqualTo(entry.path("decoded").asText());
    }
  }

  @Test
  void decodingGivesTheTextBack() {
    Tokenizer tokenizer = tiny();
    Random random = new Random(20260615);
    for (int round = 0; round < 3000; round++) {
      String text = randomText(random);
      assertThat(tokenizer.decode(tokenizer.encode(text))).as(text).isEqualTo(text);
    }
  }

  /**
   * Text of all planes, without special tokens and without the character that stands for a space.
   */
  private static String randomText(Random random) {
    StringBuilder text = new StringBuilder();
    int length = random.nextInt(40);
    while (text.length() < length) {
      int codePoint =
          switch (random.nextInt(4)) {
            case 0 -> random.nextInt(0x20, 0x7F);
            case 1 -> "abc dēf\n\t ".codePointAt(random.nextInt(10));
            case 2 -> random.nextInt(0x3000);
            default -> random.nextInt(0x110000);
          };
      boolean surrogate = codePoint >= 0xD800 && codePoint < 0xE000;
      if (!surrogate && codePoint != '▁' && codePoint != '<') {
        text.appendCodePoint(codePoint);
      }
    }
    return text.toString();
  }

  @Test
  @Timeout(value = 5, unit = TimeUnit.SECONDS)
  void hundredKilobytesTakeNoQuadraticTime() {
    Tokenizer tokenizer = tiny();
    for (String piece : new String[] {"pick up the fork ", "a", " ", "\n", "<eos>", "<eo", "é"}) {
      String text = piece.repeat(100_000 / piece.length());
      assertThat(tokenizer.encode(text)).hasSizeGreaterThan(1);
    }
  }

  @Test
  void bothFormsOfMergesGiveTheSameIds() {
    Tokenizer texts = read(model("[\"b c\", \"a b\", \"a bc\"]"));
    Tokenizer pairs = read(model("[[\"b\", \"c\"], [\"a\", \"b\"], [\"a\", \"bc\"]]"));
    for (String text : new String[] {"abc", "abab", "ab cb", "aabcc"}) {
      assertThat(pairs.encode(text)).isEqualTo(texts.encode(text));
    }
    assertThat(texts.encode("abcab")).containsExactly(1, 7, 5);
  }

  @Test
  void mergesMayComeBeforeTheVocabulary() {
    Tokenizer tokenizer =
        read(
            "{\"model\": {\"unk_token\": \"<unk>\", \"merges\": [\"a b\"], \"vocab\": %s}, %s}"
                .formatted(VOCABULARY, REST));
    assertThat(tokenizer.encode("ab")).containsExactly(1, 5);
  }

  @Test
  void mergesGoByRankAndNotFromTheLeft() {
    assertThat(read(model("[\"b c\", \"a b\"]")).encode("abc")).containsExactly(1, 2, 6);
    assertThat(read(model("[\"a b\", \"b c\"]")).encode("abc")).containsExactly(1, 5, 4);
  }

  @Test
  void unknownCharactersShareAnIdWhenFused() {
    String unfused = model("[]");
    assertThat(read(unfused).encode("axyb")).containsExactly(1, 2, 0, 0, 3);
    String fused = unfused.replace("\"unk_token\"", "\"fuse_unk\": true, \"unk_token\"");
    assertThat(read(fused).encode("axyb")).containsExactly(1, 2, 0, 3);
  }

  @Test
  void bytesStandForCharactersOnlyWhenAskedFor() {
    String without = model("[]");
    assertThat(read(without).encode("é")).containsExactly(1, 0);
    String with = without.replace("\"unk_token\"", "\"byte_fallback\": true, \"unk_token\"");
    assertThat(read(with).encode("é")).containsExactly(1, 9, 10);
    assertThat(read(with).decode(new int[] {2, 9, 10, 3})).isEqualTo("aéb");
    assertThat(read(with).decode(new int[] {2, 9, 10, 9, 3})).isEqualTo("a\uFFFD\uFFFD\uFFFDb");
  }

  @Test
  void addedTokensFollowTheirFlags() {
    assertThat(read(added("")).encode("a<x>b")).containsExactly(1, 2, 11, 3);
    assertThat(read(added("\"lstrip\": true")).encode("a  <x> b")).containsExactly(1, 2, 11, 8, 3);
    assertThat(read(added("\"rstrip\": true")).encode("a <x>\n b")).containsExactly(1, 2, 8, 11, 3);
    Tokenizer word = read(added("\"single_word\": true"));
    assertThat(word.encode("a<x>")).containsExactly(1, 2, 0, 0, 0);
    assertThat(word.encode("a <x> b")).containsExactly(1, 2, 8, 11, 8, 3);
  }

  @Test
  void theLongestAddedTokenWins() {
    String two =
        "{\"id\": 11, \"content\": \"<x\", \"normalized\": false, \"special\": true},"
            + " {\"id\": 12, \"content\": \"<x>\", \"normalized\": false, \"special\": false}";
    Tokenizer tokenizer = read(model("[]", "\"added_tokens\": [" + two + "]"));
    assertThat(tokenizer.encode("<x><xa")).containsExactly(1, 12, 11, 2);
    assertThat(tokenizer.decode(new int[] {1, 12, 11, 2})).isEqualTo("<s><x>a");
    assertThat(tokenizer.size()).isEqualTo(13);
    assertThat(tokenizer.vocabularySize()).isEqualTo(11);
  }

  @Test
  void normalizedAddedTokensAreFoundInNormalizedText() {
    String token = "{\"id\": 11, \"content\": \"a b\", \"normalized\": true, \"special\": false}";
    Tokenizer tokenizer = read(model("[]", "\"added_tokens\": [" + token + "]"));
    assertThat(tokenizer.encode("a b")).containsExactly(1, 11);
    assertThat(tokenizer.encode("a▁b")).containsExactly(1, 11);
  }

  @Test
  void refusesHalfCharacters() {
    assertThatThrownBy(() -> tiny().encode("ok \uD83D no"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "text has half a surrogate pair (U+D83D) at index 3: expected whole characters");
  }

  @Test
  void refusesIdsThatDoNotExist() {
    Tokenizer tokenizer = read(model("[]"));
    assertThatThrownBy(() -> tokenizer.decode(new int[] {2, 11}))
        .hasMessage("token id 11 is not in the vocabulary of 11 entries");
    assertThatThrownBy(() -> tokenizer.decode(new int[] {-1}))
        .hasMessage("token id -1 is not in the vocabulary of 11 entries");
  }

  @Test
  void refusesBrokenFilesInOneSentence() {
    assertThatThrownBy(() -> Tokenizer.read(folder.resolve("none.json")))
        .isInstanceOf(TokenizerException.class)
        .hasMessage(
            folder.resolve("none.json")
                + ": there is no such file; expected the tokenizer.json of PaliGemma");
    refuses("", "it does not begin with a JSON object");
    refuses("[]", "it does not begin with a JSON object");
    refuses("{\"model\": {\"vocab\"", "is not JSON");
    refuses("{}", "\"model\" is missing");
    refuses("{\"model\": 3}", "\"model\" is not an object");
    refuses("{\"model\": {\"vocab\": {}}}", "\"model.vocab\" is missing or empty");
    refuses("{\"model\": {\"vocab\": {\"a\": 0}}}", "\"model.merges\" is missing");
    refuses("{\"model\": {\"vocab\": {\"a\": \"0\"}}}", "\"a\" is not a whole number");
    refuses("{\"model\": {\"vocab\": {\"a\": 2000000000}}}", "\"a\" has id 2000000000");
    refuses("{\"model\": {\"vocab\": {\"a\": -1}}}", "\"a\" has id -1");
    refuses("{\"model\": {\"vocab\": {\"a\": 0, \"b\": 0}}}", "id 0 belongs to two entries");
    refuses("{\"model\": {\"vocab\": {\"a\": 0, \"a\": 1}}}", "\"a\" is there twice");
    refuses(model("[\"a b c\"]"), "merge 0 is \"a b c\": expected two entries and a space");
    refuses(model("[\"a x\"]"), "merge 0 needs \"x\", which is not in the vocabulary");
    refuses(model("[[\"a\"]]"), "merge 0 is not a pair of entries");
    refuses(model("[7]"), "merge 0 is neither a text nor a pair of entries");
    refuses(model("[]").replace("\"<unk>\",", "\"<no>\","), "which is not in the vocabulary");
    refuses(
        model("[]").replace("\"unk_token\": \"<unk>\", ", ""),
        "it has no \"model.unk_token\", and no entry stands for byte 0x00");
    refuses(model("[]", "\"pre_tokenizer\": {\"type\": \"ByteLevel\"}"), "\"pre_tokenizer\"");
    refuses(
        "{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"a\": 0}, \"merges\": []}}",
        "expected BPE");
    refuses(model("[]").replace("Replace", "NFKC"), "expected Replace");
    refuses(model("[]").replace("TemplateProcessing", "BertProcessing"), "TemplateProcessing");
    refuses(
        model("[]").replace("\"unk_token\"", "\"dropout\": 0.1, \"unk_token\""),
        "\"model.dropout\" is 0.1");
    refuses(
        model("[]", "\"added_tokens\": [{\"id\": 3, \"content\": \"<x>\"}]"),
        "added token \"<x>\" has id 3, which is not its own in the vocabulary");
  }

  @Test
  void acceptsASplitThatFindsNothingToSplit() {
    String split =
        "\"pre_tokenizer\": {\"type\": \"Split\", \"pattern\": {\"String\": \" \"}, \"behavior\":"
            + " \"MergedWithPrevious\", \"invert\": false}";
    assertThat(read(model("[\"a b\"]", split)).encode("ab a"))
        .isEqualTo(read(model("[\"a b\"]")).encode("ab a"));
  }

  private void refuses(String json, String part) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOf(TokenizerException.class)
        .hasMessageContaining("tokenizer.json")
        .hasMessageContaining(part)
        .message()
        .doesNotContain("\n");
  }

  private static String added(String flags) {
    String token = "{\"id\": 11, \"content\": \"<x>\", \"normalized\": false, \"special\": false";
    return model(
        "[]", "\"added_tokens\": [" + token + (flags.isEmpty() ? "" : ", " + flags) + "}]");
  }

  private static String model(String merges, String... sections) {
    return "{%s%s, \"model\": {\"type\": \"BPE\", \"unk_token\": \"<unk>\", \"vocab\": %s, \"merges\": %s}}"
        .formatted(
            sections.length == 0 ? "" : String.join(", ", sections) + ", ",
            REST,
            VOCABULARY,
            merges);
  }

  private Tokenizer read(String json) {
    try {
      return Tokenizer.read(Files.writeString(folder.resolve("tokenizer.json"), json));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static Tokenizer tiny() {
    return Tokenizer.read(Golden.FOLDER.resolve("checkpoints/pi0-tiny/tokenizer.json"));
  }
}
