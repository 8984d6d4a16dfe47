package dev.pi0stream.job.run;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Lets the program end by itself when it is interrupted (Ctrl-C) or terminated, until this is
 * closed; a second signal ends it at once. A shutdown hook would not do: the hooks of Flink run at
 * the same time, and the exit code would not be ours.
 *
 * <p>The JDK's only door to signals is {@code sun.misc.Signal} of its module jdk.unsupported; it is
 * opened reflectively because the compiler warns of it without a way to say that this is meant.
 */
public final class TerminationSignals implements AutoCloseable {
  private static final int INTERRUPTED = 130;

  private final Map<Object, Object> previous = new LinkedHashMap<>();

  /**
   * Waits for signals.
   *
   * @param action run at the first one
   */
  public TerminationSignals(Runnable action) {
    AtomicBoolean seen = new AtomicBoolean();
    InvocationHandler invocations =
        (proxy, method, arguments) ->
            switch (method.getName()) {
              case "handle" -> {
                if (seen.getAndSet(true)) {
                  Runtime.getRuntime().halt(INTERRUPTED);
                }
                action.run();
                yield null;
              }
              case "equals" -> proxy == arguments[0];
              case "hashCode" -> System.identityHashCode(proxy);
              default -> "termination";
            };
    try {
      Object handler =
          Proxy.newProxyInstance(
              TerminationSignals.class.getClassLoader(),
              new Class<?>[] {Class.forName("sun.misc.SignalHandler")},
              invocations);
      for (String name : new String[] {"INT", "TERM"}) {
        Object signal =
            Class.forName("sun.misc.Signal").getConstructor(String.class).newInstance(name);
        previous.put(signal, handle(signal, handler));
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Java runtime does not tell of signals", e);
    }
  }

  /** Leaves signals to whoever had them before. */
  @Override
  public void close() {
    previous.forEach(
        (signal, handler) -> {
          try {
            handle(signal, handler);
          } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this Java runtime does not give signals back", e);
          }
        });
  }

  private static Object handle(Object signal, Object handler) throws ReflectiveOperationException {
    return signal
        .getClass()
        .getMethod("handle", signal.getClass(), Class.forName("sun.misc.SignalHandler"))
        .invoke(null, signal, handler);
  }
}
