package dev.pi0stream.device.tt.ttnn;

/**
 * One kind of a device's memory; its banks are alike, tensors are spread over all of them.
 *
 * @param banks the number of banks
 * @param total bytes of each bank
 * @param allocated bytes of each bank that are taken
 * @param largestFree the largest free piece of each bank, in bytes
 */
public record MemoryView(int banks, long total, long allocated, long largestFree) {
  /** Bytes of all banks. */
  public long totalBytes() {
    return banks * total;
  }

  /** Taken bytes of all banks. */
  public long allocatedBytes() {
    return banks * allocated;
  }
}
