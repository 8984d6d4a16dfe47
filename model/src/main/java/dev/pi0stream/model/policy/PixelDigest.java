package dev.pi0stream.model.policy;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * SHA-256 of an image's pixels as the network reads them: bit for bit equal pixels have equal
 * digests, and nobody has found two other pictures that have.
 */
public record PixelDigest(long first, long second, long third, long fourth) {
  /** The digest of fp32 numbers. */
  public static PixelDigest of(float[] pixels) {
    ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(pixels.length, Float.BYTES));
    bytes.asFloatBuffer().put(pixels);
    ByteBuffer digest = ByteBuffer.wrap(sha256().digest(bytes.array()));
    return new PixelDigest(digest.getLong(), digest.getLong(), digest.getLong(), digest.getLong());
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
