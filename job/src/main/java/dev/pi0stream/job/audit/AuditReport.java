package dev.pi0stream.job.audit;

import java.util.List;
import java.util.Map;

/**
 * What an audit found; written as JSON with these names. Records are counted once, by the strongest
 * of their outcomes: a chunk, then a rejection, then the others.
 *
 * @param records of the observations topic within the range
 * @param repeats answers beyond the first of a record, as recoveries leave them
 * @param recomputed chunks that were computed again
 * @param findings how many of each kind
 * @param examples the first of them
 */
public record AuditReport(
    long records,
    long chunks,
    long superseded,
    long expired,
    long rejected,
    long missing,
    long repeats,
    long recomputed,
    Map<Finding.Kind, Long> findings,
    List<Finding> examples) {
  public AuditReport {
    findings = Map.copyOf(findings);
    examples = List.copyOf(examples);
  }

  /** Whether everything is as it must be. */
  public boolean isClean() {
    return findings.isEmpty();
  }
}
