package dev.pi0stream.model.engine;

import dev.pi0stream.device.Resource;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What is kept on a device to be used again, until it has to make room: least recently used first.
 * Whatever a batch puts in or uses stays until {@link #trim}, which ends the batch: meanwhile the
 * cache may be larger than its budget by what the batch itself works with.
 *
 * <p>Values are used and freed on the device's thread. Whether something is there may be asked by
 * any thread.
 */
final class DeviceCache implements AutoCloseable {
  private final Map<ReuseKey, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;
  private long evictions;

  /** Whether there is something under a key; does not count as a use. */
  synchronized boolean contains(ReuseKey key) {
    return entries.containsKey(key);
  }

  /** What is kept under a key, and from now on the most recently used; null for nothing. */
  synchronized Resource get(ReuseKey key) {
    Entry entry = entries.get(key);
    return entry == null ? null : entry.value;
  }

  /**
   * Keeps something that was not there.
   *
   * @param bytes that it takes on the device
   */
  synchronized void put(ReuseKey key, Resource value, long bytes) {
    if (entries.putIfAbsent(key, new Entry(value, bytes)) != null) {
      throw new IllegalStateException("kept twice: " + key);
    }
    this.bytes += bytes;
  }

  /**
   * Frees the least recently used until the rest is within a budget.
   *
   * @param budget in bytes on the device; 0 keeps nothing beyond a batch
   */
  synchronized void trim(long budget) {
    Iterator<Entry> oldest = entries.values().iterator();
    while (bytes > budget && oldest.hasNext()) {
      Entry entry = oldest.next();
      oldest.remove();
      bytes -= entry.bytes;
      evictions++;
      entry.value.close();
    }
  }

  synchronized int size() {
    return entries.size();
  }

  synchronized long bytes() {
    return bytes;
  }

  synchronized long evictions() {
    return evictions;
  }

  /** Frees everything and begins anew. */
  @Override
  public synchronized void close() {
    entries.values().forEach(entry -> entry.value.close());
    entries.clear();
    bytes = 0;
    evictions = 0;
  }

  private record Entry(Resource value, long bytes) {}
}
