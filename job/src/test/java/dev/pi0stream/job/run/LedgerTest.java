package dev.pi0stream.job.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.operators.source.SourcePosition;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ObservationOutcome;
import dev.pi0stream.schemas.OutcomeKind;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class LedgerTest {
  private static final Instant SEEN = Instant.parse("2026-01-01T00:00:00Z");

  private final LoggedActions logged = new LoggedActions();
  private final Ledger ledger = new Ledger(logged);

  @Test
  void everyObservationIsOpenUntilItHasItsOutcome() {
    observed(0, 0);
    observed(1, 1);
    observed(2, 2);
    observed(3, 3);
    assertThat(ledger.summary().missing()).isEqualTo(4);
    ledger.answered(chunk(0, 0), SEEN);
    ledger.answered(outcome(1, 1, OutcomeKind.SUPERSEDED));
    ledger.answered(outcome(2, 2, OutcomeKind.EXPIRED));
    ledger.answered(outcome(3, 3, OutcomeKind.REJECTED));
    counts(4, 1, 1, 1, 1);
    assertThat(ledger.summary().missing()).isZero();
    assertThat(ledger.firstRejection()).isEqualTo("because");
  }

  @Test
  void anOutcomeMayBeReadBeforeItsObservation() {
    ledger.answered(chunk(0, 0), SEEN);
    counts(0, 0, 0, 0, 0);
    assertThat(ledger.strays()).isEqualTo(1);
    observed(0, 0);
    counts(1, 1, 0, 0, 0);
    assertThat(ledger.strays()).isZero();
  }

  @Test
  void aRepeatedOutcomeCountsOnce() {
    observed(0, 0);
    ledger.answered(chunk(0, 0), SEEN.plusMillis(5));
    ledger.answered(chunk(0, 0), SEEN.plusMillis(500));
    counts(1, 1, 0, 0, 0);
    assertThat(ledger.summary().latencyMillis().p99()).isEqualTo(5.0);
    assertThat(ledger.summary().batchSizeMean()).isEqualTo(2.0, within(1e-9));
  }

  @Test
  void aChunkWinsOverARejectionAndThatOverTheOthers() {
    for (OutcomeKind kind : List.of(OutcomeKind.SUPERSEDED, OutcomeKind.EXPIRED)) {
      Ledger books = new Ledger(logged);
      books.observed(place(0), id(0));
      books.answered(outcome(0, 0, kind));
      books.answered(outcome(0, 0, OutcomeKind.REJECTED));
      assertThat(books.summary().rejected()).isEqualTo(1);
      books.answered(outcome(0, 0, kind));
      assertThat(books.summary().rejected()).isEqualTo(1);
      books.answered(chunk(0, 0), SEEN);
      books.answered(outcome(0, 0, OutcomeKind.REJECTED));
      books.answered(outcome(0, 0, kind));
      assertThat(books.summary().chunks()).isEqualTo(1);
      assertThat(books.summary().missing()).isZero();
    }
  }

  @Test
  void ofSupersededAndExpiredTheFirstStays() {
    observed(0, 0);
    observed(1, 1);
    ledger.answered(outcome(0, 0, OutcomeKind.SUPERSEDED));
    ledger.answered(outcome(0, 0, OutcomeKind.EXPIRED));
    ledger.answered(outcome(1, 1, OutcomeKind.EXPIRED));
    ledger.answered(outcome(1, 1, OutcomeKind.SUPERSEDED));
    counts(2, 0, 1, 1, 0);
  }

  @Test
  void anObservationThatWasSentTwiceIsOne() {
    observed(0, 7);
    observed(1, 7);
    ledger.answered(outcome(1, 7, OutcomeKind.SUPERSEDED));
    ledger.answered(chunk(0, 7), SEEN);
    counts(1, 1, 0, 0, 0);
  }

  @Test
  void aRecordThatCannotBeReadIsAnObservationByItsPlace() {
    ledger.observed(place(0), null);
    ledger.observed(place(1), null);
    ledger.answered(unreadable(0));
    ledger.answered(unreadable(0));
    counts(2, 0, 0, 0, 1);
    ledger.answered(unreadable(1));
    counts(2, 0, 0, 0, 2);
  }

  @Test
  void aRejectionThatNamesNobodyBelongsToTheRecordAtItsPlace() {
    observed(0, 0);
    ledger.answered(unreadable(0));
    counts(1, 0, 0, 0, 1);
  }

  @Test
  void anOutcomeOfAnotherObservationThanItsRecordHoldsCountsForNothing() {
    observed(0, 0);
    observed(1, 1);
    ledger.answered(chunk(0, 1), SEEN);
    counts(2, 0, 0, 0, 0);
    assertThat(ledger.strays()).isEqualTo(1);
    assertThat(ledger.summary().missing()).isEqualTo(2);
  }

  @Test
  void batchesAreCountedByTheirRows() {
    for (int i = 0; i < 5; i++) {
      observed(i, i);
      ActionChunk chunk = chunk(i, i);
      chunk.setBatchSize(i < 4 ? 4 : 1);
      ledger.answered(chunk, SEEN);
    }
    assertThat(ledger.summary().batchSizeMean()).isEqualTo(2.5, within(1e-9));
  }

  @Test
  void chunksAreComparedWithWhatWasLoggedWithinTheEpisode() {
    logged.put("arm", List.of(new float[] {0, 0}, new float[] {1, 10}, new float[] {2, 20}));
    observed(0, 1);
    // Steps 1 and 2 are logged; the third step of the chunk is beyond the episode.
    ledger.answered(chunk(0, 1), SEEN);
    assertThat(ledger.summary().meanAbsErrorToLogged())
        .isEqualTo((0.5 + 0 + 1 + 4) / 4, within(1e-6));
  }

  @Test
  void withoutChunksThereIsNothingToMeasure() {
    observed(0, 0);
    ledger.answered(outcome(0, 0, OutcomeKind.EXPIRED));
    assertThat(ledger.summary().batchSizeMean()).isNull();
    assertThat(ledger.summary().meanAbsErrorToLogged()).isNull();
    assertThat(ledger.summary().latencyMillis().p50()).isNull();
  }

  @Test
  void actionsOfAnotherSizeAreNotCompared() {
    logged.put("arm", List.of(new float[] {0, 0, 0}));
    observed(0, 0);
    ledger.answered(chunk(0, 0), SEEN);
    assertThat(ledger.summary().meanAbsErrorToLogged()).isNull();
  }

  private void counts(
      long observations, long chunks, long superseded, long expired, long rejected) {
    Summary summary = ledger.summary();
    assertThat(
            List.of(
                summary.observations(),
                summary.chunks(),
                summary.superseded(),
                summary.expired(),
                summary.rejected()))
        .containsExactly(observations, chunks, superseded, expired, rejected);
  }

  private void observed(long offset, long sequence) {
    ledger.observed(place(offset), id(sequence));
  }

  private static SourcePosition place(long offset) {
    return new SourcePosition("observations", 3, offset);
  }

  private static ObservationId id(long sequence) {
    return new ObservationId("arm", "first", sequence);
  }

  /** Three steps of two numbers. */
  private static ActionChunk chunk(long offset, long sequence) {
    return ActionChunk.newBuilder()
        .setRobot("arm")
        .setEpisode("first")
        .setSequence(sequence)
        .setObservedAt(SEEN)
        .setHorizon(3)
        .setActionDimensions(2)
        .setActions(List.of(1.5f, 10f, 3f, 16f, 99f, 99f))
        .setCheckpoint("c0ffee")
        .setDevice("reference/fp32")
        .setBatchSize(2)
        .setQueueMicros(1)
        .setVisionMicros(1)
        .setPrefixMicros(1)
        .setDenoiseMicros(1)
        .setSourceTopic("observations")
        .setSourcePartition(3)
        .setSourceOffset(offset)
        .build();
  }

  private static ObservationOutcome outcome(long offset, long sequence, OutcomeKind kind) {
    ObservationOutcome outcome = unreadable(offset);
    outcome.setKind(kind);
    outcome.setRobot("arm");
    outcome.setEpisode("first");
    outcome.setSequence(sequence);
    return outcome;
  }

  private static ObservationOutcome unreadable(long offset) {
    return ObservationOutcome.newBuilder()
        .setKind(OutcomeKind.REJECTED)
        .setReason("because")
        .setDecidedAt(SEEN)
        .setSourceTopic("observations")
        .setSourcePartition(3)
        .setSourceOffset(offset)
        .build();
  }
}
