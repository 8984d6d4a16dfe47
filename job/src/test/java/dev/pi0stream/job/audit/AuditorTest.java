package dev.pi0stream.job.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pi0stream.operators.source.SourcePosition;
import dev.pi0stream.operators.source.SourceRecord;
import dev.pi0stream.schemas.ActionChunk;
import dev.pi0stream.schemas.ObservationOutcome;
import dev.pi0stream.schemas.OutcomeKind;
import dev.pi0stream.schemas.RobotObservation;
import dev.pi0stream.schemas.WireFormat;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class AuditorTest {
  private static final long FIRST = 1_000_000;
  private static final long SECOND = 2_000_000;

  private final Auditor auditor = new Auditor(true, _ -> false);
  private long answers;

  @Test
  void aTopicOnWhichEverythingEndedOnceIsClean() {
    observed(0, "arm", 0);
    observed(1, "arm", 1);
    observed(2, "arm", 2);
    observed(3, "leg", 0);
    unreadable(4);
    chunk(0, "arm", 0, FIRST);
    ended(1, "arm", 1, OutcomeKind.SUPERSEDED, FIRST);
    chunk(2, "arm", 2, FIRST);
    ended(3, "leg", 0, OutcomeKind.EXPIRED, FIRST);
    ended(4, null, null, OutcomeKind.REJECTED, FIRST);
    AuditReport report = auditor.report();
    assertThat(report.examples()).isEmpty();
    assertThat(report.isClean()).isTrue();
    assertThat(report.records()).isEqualTo(5);
    assertThat(report.chunks()).isEqualTo(2);
    assertThat(report.superseded()).isEqualTo(1);
    assertThat(report.expired()).isEqualTo(1);
    assertThat(report.rejected()).isEqualTo(1);
    assertThat(report.repeats()).isZero();
  }

  @Test
  void whatARecoveryRepeatsIsClean() {
    observed(0, "arm", 0);
    observed(1, "arm", 1);
    chunk(0, "arm", 0, FIRST);
    chunk(1, "arm", 1, FIRST);
    chunk(0, "arm", 0, SECOND);
    chunk(1, "arm", 1, SECOND);
    assertThat(auditor.report().isClean()).isTrue();
    assertThat(auditor.report().repeats()).isEqualTo(2);
  }

  @Test
  void aRecordWithoutAnOutcomeIsFound() {
    observed(0, "arm", 0);
    unreadable(1);
    found(Finding.Kind.MISSING, 2);
    assertThat(auditor.report().missing()).isEqualTo(2);
    assertThat(auditor.missing()).containsExactly(place(0), place(1));
  }

  @Test
  void aSecondAnswerOfTheSameGenerationIsFound() {
    observed(0, "arm", 0);
    chunk(0, "arm", 0, FIRST);
    chunk(0, "arm", 0, FIRST);
    found(Finding.Kind.TWICE, 1);
  }

  @Test
  void anAnswerForSomebodyElseIsFound() {
    observed(0, "arm", 0);
    observed(1, "leg", 0);
    chunk(0, "leg", 0, FIRST);
    ended(1, "arm", 0, OutcomeKind.EXPIRED, FIRST);
    assertThat(auditor.report().findings()).containsEntry(Finding.Kind.FOREIGN, 2L);
  }

  @Test
  void aChunkThatGoesToAnotherRobotIsFound() {
    observed(0, "arm", 0);
    deliver("leg", message(0, "arm", 0, FIRST));
    assertThat(auditor.report().findings()).containsEntry(Finding.Kind.FOREIGN, 1L);
  }

  @Test
  void aChunkOfAnotherMomentIsFound() {
    observed(0, "arm", 0);
    ActionChunk chunk = message(0, "arm", 0, FIRST);
    chunk.setObservedAt(Instant.EPOCH.plusSeconds(99));
    deliver("arm", chunk);
    assertThat(auditor.report().findings()).containsEntry(Finding.Kind.FOREIGN, 1L);
  }

  @Test
  void anAnswerToNothingIsFoundButNotOneToWhatIsNotAudited() {
    chunk(7, "arm", 0, FIRST);
    found(Finding.Kind.STRAY, 1);
    Auditor partial = new Auditor(false, place -> place.offset() < 10);
    partial.delivered(place(0), bytes("arm"), encoded(message(7, "arm", 0, FIRST)));
    assertThat(partial.report().isClean()).isTrue();
  }

  @Test
  void repeatsThatDifferAreFound() {
    observed(0, "arm", 0);
    chunk(0, "arm", 0, FIRST);
    deliver("arm", changed(message(0, "arm", 0, SECOND), 2e-4f));
    found(Finding.Kind.DIFFERENT, 1);
  }

  @Test
  void repeatsMayDifferByWhatThePrecisionLosesButNotOnTheReference() {
    observed(0, "arm", 0);
    chunk(0, "arm", 0, FIRST);
    deliver("arm", changed(message(0, "arm", 0, SECOND), 5e-5f));
    assertThat(auditor.report().isClean()).isTrue();

    observed(1, "leg", 0);
    ActionChunk first = message(1, "leg", 0, FIRST);
    first.setDevice("reference/fp32");
    deliver("leg", first);
    ActionChunk again = changed(message(1, "leg", 0, SECOND), 5e-5f);
    deliver("leg", again);
    found(Finding.Kind.DIFFERENT, 1);
  }

  @Test
  void whatIsServedAndRejectedIsFound() {
    observed(0, "arm", 0);
    chunk(0, "arm", 0, FIRST);
    ended(0, "arm", 0, OutcomeKind.REJECTED, SECOND);
    found(Finding.Kind.DIFFERENT, 1);
  }

  @Test
  void whatIsServedAndSupersededInARecoveryIsClean() {
    observed(0, "arm", 0);
    observed(1, "arm", 1);
    chunk(0, "arm", 0, FIRST);
    ended(0, "arm", 0, OutcomeKind.SUPERSEDED, SECOND);
    chunk(1, "arm", 1, SECOND);
    assertThat(auditor.report().isClean()).isTrue();
  }

  @Test
  void anOlderChunkWithinAGenerationIsFound() {
    observed(0, "arm", 0);
    observed(1, "arm", 1);
    chunk(1, "arm", 1, FIRST);
    chunk(0, "arm", 0, FIRST);
    found(Finding.Kind.STALE, 1);
  }

  @Test
  void aChunkOfAnEarlierEpisodeWithinAGenerationIsFound() {
    observed(0, "arm", 9);
    observedIn("e2", 1, "arm", 0);
    deliver("arm", in("e2", message(1, "arm", 0, FIRST)));
    chunk(0, "arm", 9, FIRST);
    found(Finding.Kind.STALE, 1);
  }

  @Test
  void anEpisodeThatComesBackBehindTwoOthersBeginsAnew() {
    observed(0, "arm", 9);
    observedIn("e2", 1, "arm", 0);
    observedIn("e3", 2, "arm", 0);
    observed(3, "arm", 1);
    observed(4, "arm", 2);
    chunk(0, "arm", 9, FIRST);
    chunk(4, "arm", 2, FIRST);
    assertThat(auditor.report().findings()).doesNotContainKey(Finding.Kind.STALE);

    chunk(3, "arm", 1, FIRST);
    assertThat(auditor.report().findings()).containsEntry(Finding.Kind.STALE, 1L);
  }

  @Test
  void anEpisodeThatComesBackBehindOneOtherDoesNotBeginAnew() {
    observed(0, "arm", 9);
    observedIn("e2", 1, "arm", 0);
    observed(2, "arm", 1);
    chunk(0, "arm", 9, FIRST);
    chunk(2, "arm", 1, FIRST);
    assertThat(auditor.report().findings()).containsEntry(Finding.Kind.STALE, 1L);
  }

  @Test
  void anOlderChunkOfALaterGenerationSaysSo() {
    observed(0, "arm", 0);
    observed(1, "arm", 1);
    chunk(1, "arm", 1, FIRST);
    chunk(0, "arm", 0, SECOND);
    assertThat(auditor.report().isClean()).isTrue();
  }

  @Test
  void aChunkOfAReplacedGenerationIsFound() {
    observed(0, "arm", 0);
    observed(1, "arm", 1);
    chunk(0, "arm", 0, SECOND);
    chunk(1, "arm", 1, FIRST);
    found(Finding.Kind.OLD_GENERATION, 1);
  }

  @Test
  void whatIsSupersededByNothingIsFound() {
    observed(0, "arm", 3);
    observed(1, "arm", 2);
    ended(0, "arm", 3, OutcomeKind.SUPERSEDED, FIRST);
    ended(1, "arm", 2, OutcomeKind.SUPERSEDED, FIRST);
    found(Finding.Kind.UNJUSTIFIED, 1);
  }

  @Test
  void whatCameBehindTheAuditedMaySupersedeIt() {
    observed(0, "arm", 3);
    ended(0, "arm", 3, OutcomeKind.SUPERSEDED, FIRST);
    found(Finding.Kind.UNJUSTIFIED, 1);
    auditor.sentLater(
        new SourceRecord(place(1), 0, WireFormat.observations().encode(sent("arm", "e1", 4))));
    auditor.sentLater(new SourceRecord(place(2), 0, bytes("garbage")));
    assertThat(auditor.report().isClean()).isTrue();
    assertThat(auditor.report().records()).isEqualTo(1);
  }

  @Test
  void anEarlierEpisodeSupersedesNothingOfALaterOne() {
    observed(0, "arm", 3);
    observedIn("e2", 1, "arm", 0);
    chunk(0, "arm", 3, FIRST);
    ended(1, "arm", "e2", 0, OutcomeKind.SUPERSEDED, FIRST);
    found(Finding.Kind.UNJUSTIFIED, 1);
  }

  @Test
  void aLaterEpisodeSupersedesWhatCameBeforeItAndWhatStillComes() {
    observed(0, "arm", 3);
    observedIn("e2", 1, "arm", 0);
    observed(2, "arm", 4);
    ended(0, "arm", 3, OutcomeKind.SUPERSEDED, FIRST);
    deliver("arm", in("e2", message(1, "arm", 0, FIRST)));
    ended(2, "arm", 4, OutcomeKind.SUPERSEDED, FIRST);
    assertThat(auditor.report().isClean()).isTrue();
  }

  @Test
  void aRepeatedIdentitySupersedesItself() {
    observed(0, "arm", 3);
    observed(1, "arm", 3);
    chunk(0, "arm", 3, FIRST);
    ended(1, "arm", 3, OutcomeKind.SUPERSEDED, FIRST);
    assertThat(auditor.report().isClean()).isTrue();
  }

  @Test
  void whatIsBrokenMustBeRejected() {
    observed(0, sent("arm", "e1", 0), message -> message.setState(List.of(Float.NaN)));
    chunk(0, "arm", 0, FIRST);
    assertThat(auditor.report().findings()).containsEntry(Finding.Kind.BROKEN_SERVED, 1L);
    ended(0, "arm", 0, OutcomeKind.REJECTED, SECOND);
    unreadable(1);
    ended(1, null, null, OutcomeKind.EXPIRED, FIRST);
    found(Finding.Kind.BROKEN_SERVED, 2);
  }

  @Test
  void aChunkThatNobodyCanExecuteIsFound() {
    observed(0, "arm", 0);
    ActionChunk chunk = message(0, "arm", 0, FIRST);
    chunk.setActions(List.of(1f, Float.NaN, 1f, 1f));
    deliver("arm", chunk);
    auditor.delivered(place(1), null, new byte[] {1, 2, 3});
    auditor.ended(place(1), null, null);
    assertThat(auditor.report().findings()).containsEntry(Finding.Kind.MALFORMED, 3L);
  }

  @Test
  void otherActionsThanTheObservationLeadsToAreFound() {
    observed(0, "arm", 0);
    observed(1, "leg", 0);
    chunk(0, "arm", 0, FIRST);
    chunk(1, "leg", 0, FIRST);
    auditor.recomputed(place(0), List.of(1f, 2f, 3f, 4f));
    auditor.recomputed(place(1), List.of(4f, 3f, 2f, 1f));
    found(Finding.Kind.WRONG_ACTIONS, 1);
    assertThat(auditor.report().recomputed()).isEqualTo(2);
  }

  private void found(Finding.Kind kind, long count) {
    AuditReport report = auditor.report();
    assertThat(report.findings()).as("%s", report.examples()).containsOnlyKeys(kind);
    assertThat(report.findings()).containsEntry(kind, count);
    assertThat(report.isClean()).isFalse();
    assertThat(report.examples()).allSatisfy(f -> assertThat(f.sentence()).isNotBlank());
  }

  private static SourcePosition place(long offset) {
    return new SourcePosition("observations", 0, offset);
  }

  private void observed(long offset, String robot, long sequence) {
    observedIn("e1", offset, robot, sequence);
  }

  private void observedIn(String episode, long offset, String robot, long sequence) {
    observed(offset, sent(robot, episode, sequence), _ -> {});
  }

  private void observed(long offset, RobotObservation message, Consumer<RobotObservation> change) {
    change.accept(message);
    auditor.observed(new SourceRecord(place(offset), 0, WireFormat.observations().encode(message)));
  }

  private static RobotObservation sent(String robot, String episode, long sequence) {
    return new RobotObservation(
        robot,
        episode,
        sequence,
        Instant.EPOCH.plusMillis(sequence),
        null,
        "lift",
        List.of(1f),
        List.of(),
        null);
  }

  private void unreadable(long offset) {
    auditor.observed(new SourceRecord(place(offset), 0, bytes("garbage")));
  }

  private void chunk(long offset, String robot, long sequence, long generation) {
    deliver(robot, message(offset, robot, sequence, generation));
  }

  private void deliver(String key, ActionChunk chunk) {
    auditor.delivered(new SourcePosition("chunks", 0, answers++), bytes(key), encoded(chunk));
  }

  private static ActionChunk message(long offset, String robot, long sequence, long generation) {
    return ActionChunk.newBuilder()
        .setRobot(robot)
        .setEpisode("e1")
        .setSequence(sequence)
        .setObservedAt(Instant.EPOCH.plusMillis(sequence))
        .setHorizon(2)
        .setActionDimensions(2)
        .setActions(List.of(1f, 2f, 3f, 4f))
        .setCheckpoint("digest")
        .setDevice("cpu/fp32")
        .setBatchSize(1)
        .setQueueMicros(0)
        .setVisionMicros(0)
        .setPrefixMicros(0)
        .setDenoiseMicros(0)
        .setSourceTopic("observations")
        .setSourcePartition(0)
        .setSourceOffset(offset)
        .setGeneration(generation)
        .build();
  }

  private static ActionChunk changed(ActionChunk chunk, float by) {
    chunk.setActions(List.of(1f, 2f, 3f, 4f + 4 * by));
    return chunk;
  }

  private static ActionChunk in(String episode, ActionChunk chunk) {
    chunk.setEpisode(episode);
    return chunk;
  }

  private void ended(
      long offset, String robot, Integer sequence, OutcomeKind kind, long generation) {
    ended(offset, robot, robot == null ? null : "e1", sequence, kind, generation);
  }

  private void ended(
      long offset,
      String robot,
      String episode,
      Integer sequence,
      OutcomeKind kind,
      long generation) {
    ObservationOutcome outcome =
        ObservationOutcome.newBuilder()
            .setKind(kind)
            .setReason("because")
            .setRobot(robot)
            .setEpisode(episode)
            .setSequence(sequence == null ? null : (long) sequence)
            .setDecidedAt(Instant.EPOCH)
            .setSourceTopic("observations")
            .setSourcePartition(0)
            .setSourceOffset(offset)
            .setGeneration(generation)
            .build();
    auditor.ended(
        new SourcePosition("outcomes", 0, answers++),
        robot == null ? null : bytes(robot),
        WireFormat.outcomes().encode(outcome));
  }

  private static byte[] encoded(ActionChunk chunk) {
    return WireFormat.chunks().encode(chunk);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
