package dev.pi0stream.operators.source;

/**
 * A record of the observations topic, unread.
 *
 * @param timestamp of the record, in milliseconds since the epoch
 * @param value null where the record has none
 */
public record SourceRecord(SourcePosition position, long timestamp, byte[] value) {}
