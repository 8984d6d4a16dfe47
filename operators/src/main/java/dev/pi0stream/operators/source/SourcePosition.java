package dev.pi0stream.operators.source;

/** Where in Kafka a record stands; what proves that it has an outcome. */
public record SourcePosition(String topic, int partition, long offset) {
  /** The position as it stands in sentences: {@code observations/0@17}. */
  @Override
  public String toString() {
    return topic + "/" + partition + "@" + offset;
  }
}
