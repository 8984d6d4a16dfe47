package dev.pi0stream.device.tt.ttnn;

import java.util.Map;
import java.util.TreeMap;

/**
 * What a device was asked to do since it was opened.
 *
 * @param calls calls into TTNN
 * @param uploads tensors copied to the device
 * @param uploadedBytes bytes of them, as they lie there
 * @param downloads tensors copied to the host
 * @param downloadedBytes bytes of them, as they lay there
 * @param replays traces that were replayed
 * @param operations how often each operation was issued
 */
public record Traffic(
    long calls,
    long uploads,
    long uploadedBytes,
    long downloads,
    long downloadedBytes,
    long replays,
    Map<String, Long> operations) {
  public Traffic {
    operations = Map.copyOf(operations);
  }

  /** The number of operations of all kinds. */
  public long operationCount() {
    return operations.values().stream().mapToLong(Long::longValue).sum();
  }

  /** What came on top of an earlier count. */
  public Traffic since(Traffic earlier) {
    Map<String, Long> difference = new TreeMap<>();
    operations.forEach(
        (name, count) -> {
          long more = count - earlier.operations.getOrDefault(name, 0L);
          if (more > 0) {
            difference.put(name, more);
          }
        });
    return new Traffic(
        calls - earlier.calls,
        uploads - earlier.uploads,
        uploadedBytes - earlier.uploadedBytes,
        downloads - earlier.downloads,
        downloadedBytes - earlier.downloadedBytes,
        replays - earlier.replays,
        difference);
  }
}
