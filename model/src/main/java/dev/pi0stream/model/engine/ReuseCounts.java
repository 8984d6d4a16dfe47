package dev.pi0stream.model.engine;

/**
 * How often something was found on the device, since the policy was loaded.
 *
 * @param featureHits pictures whose features were there
 * @param featureMisses pictures whose features had to be computed
 * @param prefixHits rows whose prefix was there; their pictures are not looked for
 * @param prefixMisses rows whose prefix had to be read
 * @param evictions features and prefixes that had to make room
 * @param entries that are kept now
 * @param bytes that these take on the device
 */
public record ReuseCounts(
    long featureHits,
    long featureMisses,
    long prefixHits,
    long prefixMisses,
    long evictions,
    int entries,
    long bytes) {
  /** Of a policy that keeps nothing. */
  public static final ReuseCounts NONE = new ReuseCounts(0, 0, 0, 0, 0, 0, 0);
}
