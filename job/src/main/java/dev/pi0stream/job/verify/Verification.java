package dev.pi0stream.job.verify;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import dev.pi0stream.device.Device;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** A folder of golden vectors, and runs over it. */
public final class Verification {
  private final Golden golden;
  private final List<Path> tokenizers;

  private Verification(Golden golden, List<Path> tokenizers) {
    this.golden = golden;
    this.tokenizers = tokenizers;
  }

  /**
   * What came out.
   *
   * @param results every comparison
   * @param skipped files that could not be checked with what is in the folder
   */
  @JsonPropertyOrder({"passed", "failed", "results"})
  public record Outcome(
      long passed,
      long failed,
      List<Result> results,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Comparisons.Skipped> skipped,
      @JsonIgnore String device,
      @JsonIgnore Duration time) {
    /** One line for a person. */
    @JsonIgnore
    public String summary() {
      return "%d passed, %d failed%s on %s in %.1f s"
          .formatted(
              passed,
              failed,
              skipped.isEmpty() ? "" : ", %d not checked".formatted(skipped.size()),
              device,
              time.toMillis() / 1000.0);
    }
  }

  /**
   * Opens a folder.
   *
   * @param tokenizers {@code tokenizer.json} files that the folder names by digest but does not
   *     hold
   * @throws GoldenException if the folder is missing, or it does not say what is in it
   */
  public static Verification open(Path directory, List<Path> tokenizers) {
    return new Verification(Golden.open(directory), tokenizers);
  }

  /**
   * Computes everything in the folder anew and compares.
   *
   * @param noises so many others than the golden one that the final x of whole cases is computed
   *     from as well, and compared with the {@code reference} device's; 0 for none
   * @param progress is given the results of each file when it is done
   * @throws GoldenException if the folder is broken
   */
  public Outcome run(Device device, int noises, Consumer<List<Result>> progress) {
    long start = System.nanoTime();
    Comparisons comparisons = new Comparisons(device.precision());
    try (NoiseCheck others = noises == 0 ? null : new NoiseCheck(golden, noises)) {
      run(device, others, comparisons, progress);
    }
    List<Result> results = comparisons.results();
    long passed = results.stream().filter(Result::pass).count();
    return new Outcome(
        passed,
        results.size() - passed,
        results,
        comparisons.skipped(),
        device.name() + " " + device.precision().label(),
        Duration.ofNanos(System.nanoTime() - start));
  }

  private void run(
      Device device, NoiseCheck noises, Comparisons comparisons, Consumer<List<Result>> progress) {
    try (LoadedPolicies policies = new LoadedPolicies(golden, device)) {
      CaseCheck cases = new CaseCheck(golden, policies, noises);
      for (GoldenCase entry : golden.cases()) {
        step(entry.file(), comparisons, progress, () -> cases.run(entry, comparisons));
      }
      step(golden.errorsFile(), comparisons, progress, () -> cases.summarise(comparisons));
      OperationCheck operations = new OperationCheck(golden, device, policies);
      for (Golden.Operation operation : golden.operations()) {
        step(operation.file(), comparisons, progress, () -> operations.run(operation, comparisons));
      }
      for (Golden.Operation operation : golden.preprocess()) {
        step(operation.file(), comparisons, progress, () -> operations.run(operation, comparisons));
      }
      TokenizerCheck texts = new TokenizerCheck(golden, tokenizers);
      for (String file : golden.tokenizers()) {
        step(file, comparisons, progress, () -> texts.run(file, comparisons));
      }
      for (String file : golden.actionQueues()) {
        step(
            file, comparisons, progress, () -> new ActionQueueCheck(golden).run(file, comparisons));
      }
    }
  }

  /** A file that cannot be computed is a failure of that file, not the end of the run. */
  private static void step(
      String file, Comparisons comparisons, Consumer<List<Result>> progress, Runnable check) {
    int before = comparisons.results().size();
    try {
      check.run();
    } catch (GoldenException e) {
      throw e;
    } catch (RuntimeException e) {
      comparisons.fail(file, "(all)", e);
    }
    List<Result> results = comparisons.results();
    if (results.size() > before) {
      progress.accept(results.subList(before, results.size()));
    }
  }
}
