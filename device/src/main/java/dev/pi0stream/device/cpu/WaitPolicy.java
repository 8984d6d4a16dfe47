package dev.pi0stream.device.cpu;

import dev.pi0stream.device.foreign.Environment;
import java.util.Map;

/**
 * How OpenMP's threads wait for each other and for the next operation. GNU's runtime spins for some
 * milliseconds by default. Where other threads want the processors, as a broker's and a job's do,
 * the spinning ones keep the one that they wait for from running, and an operation of 3 ms takes
 * 100. So they spin for some ten microseconds, which is the gap between two operations, and then
 * sleep.
 */
final class WaitPolicy {
  /** GNU's own variable; it wins over the standard one. */
  static final String SPINS = "GOMP_SPINCOUNT";

  private static final String STANDARD = "OMP_WAIT_POLICY";
  private static final String COUNT = "2000";

  private WaitPolicy() {}

  /** Sets the policy for a runtime that is loaded after this, unless the user has set one. */
  static void sleepSoon() {
    Map<String, String> environment = System.getenv();
    if (environment.containsKey(SPINS) || environment.containsKey(STANDARD)) {
      return;
    }
    Environment.set(SPINS, COUNT);
  }
}
