package dev.pi0stream.operators.outcome;

/**
 * A record for Kafka.
 *
 * @param key the robot's name in UTF-8; null where it is not known
 * @param value a message of the wire contract
 */
public record WireRecord(byte[] key, byte[] value) {}
