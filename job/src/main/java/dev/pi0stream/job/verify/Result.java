package dev.pi0stream.job.verify;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;

/**
 * What became of one component of one file.
 *
 * @param file of the golden folder, relative to it
 * @param component the tensor's name in the file, or what is compared
 * @param pcc null where it is undefined
 * @param maxAbsError null where nothing comparable was computed
 * @param rmsError null where nothing comparable was computed
 * @param threshold what decided: 0 for exact comparisons; the largest error allowed (fp32, host),
 *     or the smallest PCC, or for the final x the largest rms error (bf16)
 * @param note what a person should know besides; null for nothing
 */
@JsonPropertyOrder({"file", "component", "pcc", "maxAbsError", "rmsError", "threshold", "pass"})
public record Result(
    String file,
    String component,
    Double pcc,
    Double maxAbsError,
    Double rmsError,
    double threshold,
    boolean pass,
    @JsonInclude(JsonInclude.Include.NON_NULL) String note) {

  static Result of(
      String file, String component, Difference difference, Criterion criterion, String note) {
    return new Result(
        file,
        component,
        finite(difference.pcc()),
        finite(difference.maxAbsError()),
        finite(difference.rmsError()),
        criterion.threshold(),
        criterion.accepts(difference),
        note);
  }

  static Result failure(String file, String component, Criterion criterion, String note) {
    return new Result(file, component, null, null, null, criterion.threshold(), false, note);
  }

  private static Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }
}
