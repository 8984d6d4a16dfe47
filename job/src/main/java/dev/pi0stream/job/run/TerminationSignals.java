package dev.pi0stream.job.run;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;

/**
 * Lets the program end itself when it is interrupted (Ctrl-C) or terminated, once; the second time
 * it is gone at once. A shutdown hook would not do: the hooks of Flink run at the same time, and
 * the exit code would not be ours.
 *
 * <p>The JDK's only door to signals is {@code sun.misc.Signal} of its module jdk.unsupported; it is
 * opened reflectively because the compiler warns of it without a way to say that this is meant.
 */
final class TerminationSignals {
  private static final int INTERRUPTED = 130;

  private TerminationSignals() {}

  /** Runs an action at the first signal. */
  static void onFirst(Runnable action) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      boolean[] seen = new boolean[1];
      InvocationHandler invocations =
          (proxy, method, arguments) ->
              switch (method.getName()) {
                case "handle" -> {
                  synchronized (seen) {
                    if (seen[0]) {
                      Runtime.getRuntime().halt(INTERRUPTED);
                    }
                    seen[0] = true;
                  }
                  action.run();
                  yield null;
                }
                case "equals" -> proxy == arguments[0];
                case "hashCode" -> System.identityHashCode(proxy);
                default -> "termination";
              };
      Object proxy =
          Proxy.newProxyInstance(
              TerminationSignals.class.getClassLoader(), new Class<?>[] {handler}, invocations);
      for (String name : new String[] {"INT", "TERM"}) {
        signal
            .getMethod("handle", signal, handler)
            .invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Java runtime does not tell of signals", e);
    }
  }
}
