package dev.pi0stream.job.audit;

import dev.pi0stream.job.graph.KafkaSettings;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What is audited.
 *
 * @param kafka the broker and its three topics
 * @param from observations whose record is as old as this or newer; empty for all that there are
 * @param to observations whose record is older than this; empty for all up to now
 * @param patience how long to wait for outcomes that are not there yet
 */
public record AuditSettings(
    KafkaSettings kafka, Optional<Instant> from, Optional<Instant> to, Duration patience) {}
