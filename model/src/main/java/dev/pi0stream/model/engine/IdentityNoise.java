package dev.pi0stream.model.engine;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Noise that is a function of the observation's identity and a seed, so that a chunk that is
 * computed again, after a failure or in a replay, starts from the same noise.
 *
 * <p>The SHA-256 of {@code (seed, robot, episode, sequence)} gives Philox4x32-10 its key and the
 * upper half of its counter; the lower half counts blocks. Each pair of words {@code (a, b)}
 * becomes two draws by Box and Muller: {@code √(−2·ln((a+½)/2³²))} times the cosine and the sine of
 * {@code 2π·(b+½)/2³²}, in {@link StrictMath}, rounded to fp32. The streams are part of the
 * contract: a test vector fixes them.
 */
public final class IdentityNoise implements Noise {
  private static final double UNIT = 0x1p-32;

  private final long seed;

  /**
   * Noise of one seed.
   *
   * @param seed another one gives other draws for the same observation
   */
  public IdentityNoise(long seed) {
    this.seed = seed;
  }

  @Override
  public float[] draw(ObservationId id, int count) {
    ByteBuffer digest = ByteBuffer.wrap(digest(id)).order(ByteOrder.LITTLE_ENDIAN);
    int key0 = digest.getInt();
    int key1 = digest.getInt();
    int upper0 = digest.getInt();
    int upper1 = digest.getInt();
    float[] draws = new float[count];
    int[] words = new int[4];
    for (int block = 0; 4 * block < count; block++) {
      words[0] = block;
      words[1] = 0;
      words[2] = upper0;
      words[3] = upper1;
      Philox.block(words, key0, key1);
      for (int pair = 0; pair < 2; pair++) {
        double radius = StrictMath.sqrt(-2 * StrictMath.log(unit(words[2 * pair])));
        double angle = 2 * StrictMath.PI * unit(words[2 * pair + 1]);
        put(draws, 4 * block + 2 * pair, radius * StrictMath.cos(angle));
        put(draws, 4 * block + 2 * pair + 1, radius * StrictMath.sin(angle));
      }
    }
    return draws;
  }

  private static double unit(int word) {
    return (Integer.toUnsignedLong(word) + 0.5) * UNIT;
  }

  private static void put(float[] draws, int index, double draw) {
    if (index < draws.length) {
      draws[index] = (float) draw;
    }
  }

  private byte[] digest(ObservationId id) {
    byte[] robot = id.robot().getBytes(UTF_8);
    byte[] episode = id.episode().getBytes(UTF_8);
    ByteBuffer identity =
        ByteBuffer.allocate(2 * Long.BYTES + 2 * Integer.BYTES + robot.length + episode.length)
            .putLong(seed)
            .putInt(robot.length)
            .put(robot)
            .putInt(episode.length)
            .put(episode)
            .putLong(id.sequence());
    try {
      return MessageDigest.getInstance("SHA-256").digest(identity.array());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
