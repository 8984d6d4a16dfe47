/**
 * The wire contract: what travels on the topics. The records are generated from {@code
 * src/main/avro}, whose doc strings are the contract; {@link dev.pi0stream.schemas.WireFormat} is
 * how they become bytes.
 */
package dev.pi0stream.schemas;
