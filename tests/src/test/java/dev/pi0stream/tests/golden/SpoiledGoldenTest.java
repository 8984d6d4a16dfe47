package dev.pi0stream.tests.golden;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.pi0stream.model.checkpoint.StoredTensor;
import dev.pi0stream.tests.cli.CommandLineRun;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The verifier can fail: what differs from the vectors is found, and named. */
class SpoiledGoldenTest {
  private static final String CASE = "cases/pi0-4steps.safetensors";
  private static final String BATCH = "cases/pi05-batch3.safetensors";
  private static final String QUEUE = "rtc/action-queue.json";
  private static final String TEXTS = "tokenizer/tiny.json";
  private static final String BLOCK = "ops/gemma-odd.safetensors";

  @TempDir private Path folder;

  @Test
  void passesUnspoiled() throws IOException {
    CommandLineRun run = new GoldenCopy(folder, CASE, BLOCK, TEXTS, QUEUE).verify();

    assertThat(run.code()).isZero();
    assertThat(run.out()).contains(" 0 failed").doesNotContain("FAIL");
  }

  @Test
  void findsAnActionThatIsSlightlyWrong() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    golden.add(CASE, "actions", 17, 3e-4f);

    assertFailsAlone(golden.verify(), CASE, "actions");
  }

  @Test
  void findsAStepThatIsSlightlyWrong() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    golden.add(CASE, "x.step3", 0, -3e-4f);

    assertFailsAlone(golden.verify(), CASE, "x.step3");
  }

  @Test
  void findsManySmallErrorsByTheirRms() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    ValueLayout.OfFloat number = ValueLayout.JAVA_FLOAT_UNALIGNED;
    golden.spoil(
        CASE,
        "v.step0",
        bytes -> {
          for (long i = 0; i < bytes.byteSize() / 4; i++) {
            bytes.setAtIndex(number, i, bytes.getAtIndex(number, i) + 4e-5f);
          }
        });

    assertFailsAlone(golden.verify(), CASE, "v.step0");
  }

  @Test
  void findsATokenThatDiffers() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    golden.spoil(CASE, "tokens", bytes -> bytes.set(ValueLayout.JAVA_BYTE, 8, (byte) 77));

    assertFailsAlone(golden.verify(), CASE, "tokens");
  }

  @Test
  void findsAMaskThatDiffers() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, BATCH);
    golden.spoil(BATCH, "prefix.pad_mask", bytes -> bytes.set(ValueLayout.JAVA_BYTE, 3, (byte) 0));

    assertFailsAlone(golden.verify(), BATCH, "prefix.pad_mask");
  }

  @Test
  void findsANumberThatIsNotOne() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    golden.spoil(
        CASE, "x.step1", bytes -> bytes.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, 5, Float.NaN));

    assertFailsAlone(golden.verify(), CASE, "x.step1");
  }

  @Test
  void findsCamerasThatAreSwapped() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    golden.swap(CASE, "raw.frame.base_0_rgb", "raw.frame.left_wrist_0_rgb");

    CommandLineRun run = golden.verify();

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).contains(CASE + " x.step4").contains(CASE + " actions");
  }

  @Test
  void findsAPromptThatDiffers() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    golden.edit(
        "manifest.json",
        manifest ->
            ((ArrayNode) GoldenCopy.first(manifest, "cases").path("prompts"))
                .removeAll()
                .add("pour the water into the cup"));

    CommandLineRun run = golden.verify();

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).contains(CASE + " tokens").contains(CASE + " actions");
  }

  @Test
  void findsWeightsThatDiffer() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    golden.add("checkpoints/pi0-tiny/model.safetensors", "model.action_out_proj.bias", 0, 0.001f);

    CommandLineRun run = golden.verify();

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).contains(CASE + " v.step0").doesNotContain(CASE + " suffix.embs");
  }

  @Test
  void findsStatisticsThatDiffer() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    golden.add(
        "checkpoints/pi0-tiny/policy_postprocessor_step_0_unnormalizer_processor.safetensors",
        "action.mean",
        0,
        0.01f);

    assertFailsAlone(golden.verify(), CASE, "actions");
  }

  @Test
  void findsAnOperationThatIsSlightlyWrong() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, BLOCK);
    golden.add(BLOCK, "out.mlp", 2, 1e-4f);

    assertFailsAlone(golden.verify(), BLOCK, "out.mlp");
  }

  @Test
  void findsAnOperationThatItDoesNotKnow() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, BLOCK);
    golden.edit(
        "manifest.json", manifest -> GoldenCopy.first(manifest, "ops").put("op", "mixture"));

    CommandLineRun run = golden.verify();

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).contains("there is no operation 'mixture' here");
  }

  @Test
  void findsATensorThatNothingComputes() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    golden.rewrite(
        CASE, tensors -> tensors.put("dreams", renamed(tensors.get("v.step0"), "dreams")));

    assertFailsAlone(golden.verify(), CASE, "dreams: nothing computes such a tensor");
  }

  @Test
  void findsAnotherShape() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    golden.rewrite(
        CASE, tensors -> tensors.put("actions", renamed(tensors.get("x.step4"), "actions")));

    assertFailsAlone(golden.verify(), CASE, "actions: computed [1, 32, 14], expected [1, 32, 32]");
  }

  private static StoredTensor renamed(StoredTensor tensor, String name) {
    return new StoredTensor(name, tensor.type(), tensor.shape(), tensor.data(), tensor.file());
  }

  @Test
  void findsATextWithOtherIds() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, TEXTS);
    golden.edit(TEXTS, texts -> ((ArrayNode) texts.path("cases").path(4).path("ids")).remove(1));

    CommandLineRun run = golden.verify();

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).contains(TEXTS + " ids: 1 of 274 texts differ; \"Task: a, State: 127;");
  }

  @Test
  void findsAQueueThatGivesSomethingElse() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, QUEUE);
    golden.edit(
        QUEUE,
        scripts ->
            ((ObjectNode) scripts.path(1).path("script").path(3).path("after")).put("size", 12));

    assertFailsAlone(
        golden.verify(), QUEUE, "script.rtc_disabled: call 4, merge: size 13, expected 12");
  }

  @Test
  void judgesBfloat16ByLeRobotsOwnError() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    golden.edit(
        "bf16-errors.json",
        errors ->
            ((ObjectNode) errors.path("cases").path("pi0-4steps").path("bfloat16"))
                .put("rms_error", 1e-4));

    CommandLineRun run = golden.verify("cpu", "bf16");

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).contains(CASE + " x.step4").contains("bf16-errors.json rms error");
  }

  @Test
  void seesAFactorThatACorrelationDoesNot() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    ValueLayout.OfFloat number = ValueLayout.JAVA_FLOAT_UNALIGNED;
    golden.spoil(
        CASE,
        "v.step0",
        bytes -> {
          for (long i = 0; i < bytes.byteSize() / 4; i++) {
            bytes.setAtIndex(number, i, bytes.getAtIndex(number, i) * 1.2f);
          }
        });

    assertFailsAlone(golden.verify("cpu", "bf16"), CASE, "v.step0");
  }

  // ------------------------------------------------------------------ broken folders

  @Test
  void refusesAFolderThatIsNotThere() {
    assertRefused(
        CommandLineRun.of("verify", "--golden", folder.resolve("nowhere").toString()),
        "nowhere: expected a folder of golden vectors, found none");
  }

  @Test
  void refusesAFolderWithoutManifest() {
    assertRefused(
        CommandLineRun.of("verify", "--golden", folder.toString()),
        "manifest.json: cannot be read");
  }

  @Test
  void refusesAManifestThatIsNotJson() throws IOException {
    Files.writeString(folder.resolve("manifest.json"), "{\"cases\": [");

    assertRefused(
        CommandLineRun.of("verify", "--golden", folder.toString()), "manifest.json: not JSON");
  }

  @Test
  void refusesAManifestThatNamesNothing() throws IOException {
    Files.writeString(folder.resolve("manifest.json"), "{\"cases\": []}");

    assertRefused(
        CommandLineRun.of("verify", "--golden", folder.toString()), "names nothing to verify");
  }

  @Test
  void refusesAFileThatIsMissing() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    Files.delete(golden.file(CASE));

    assertRefused(golden.verify(), "names " + CASE + ", which is not there");
  }

  @Test
  void refusesAFileThatIsCutOff() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    byte[] bytes = Files.readAllBytes(golden.file(CASE));
    Files.write(golden.file(CASE), Arrays.copyOf(bytes, bytes.length / 2));

    assertRefused(golden.verify(), CASE);
  }

  @Test
  void refusesAFileThatLacksATensor() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, CASE);
    golden.rewrite(CASE, tensors -> tensors.remove("x.step2"));

    assertRefused(golden.verify(), CASE + ": no tensor 'x.step2', which the manifest lists");
  }

  @Test
  void refusesADeviceThatIsNotThere() throws IOException {
    GoldenCopy golden = new GoldenCopy(folder, BLOCK);

    assertRefused(golden.verify("abacus", "fp32"), "device 'abacus': expected one of");
    assertRefused(
        golden.verify("cpu", "fp12"), "precision 'fp12': expected one of fp32, bf16, bfp8, int8");
    assertRefused(golden.verify("reference", "bf16"), "fp32 only");
  }

  private static void assertFailsAlone(CommandLineRun run, String file, String component) {
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.out()).contains("  " + file + " " + component).contains(" 1 failed");
  }

  private static void assertRefused(CommandLineRun run, String sentence) {
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err()).startsWith("pi0 verify: ").contains(sentence);
  }
}
