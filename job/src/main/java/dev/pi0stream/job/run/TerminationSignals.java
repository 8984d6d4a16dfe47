package dev.pi0stream.job.run;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

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
    try {
      Class<?> type = Class.forName("sun.misc.Signal");
      MethodHandle taken =
          MethodHandles.lookup()
              .findVirtual(
                  Consumer.class, "accept", MethodType.methodType(void.class, Object.class))
              .bindTo(firstTime(action));
      Object handler =
          MethodHandleProxies.asInterfaceInstance(
              Class.forName("sun.misc.SignalHandler"),
              taken.asType(MethodType.methodType(void.class, type)));
      for (String name : new String[] {"INT", "TERM"}) {
        Object signal = type.getConstructor(String.class).newInstance(name);
        previous.put(signal, handle(signal, handler));
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Java runtime does not tell of signals", e);
    }
  }

  /** Leaves signals to whoever had them before. */
  @Override
  public void close() {
    try {
      for (Map.Entry<Object, Object> handler : previous.entrySet()) {
        handle(handler.getKey(), handler.getValue());
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Java runtime does not give signals back", e);
    }
  }

  private static Object handle(Object signal, Object handler) throws ReflectiveOperationException {
    return signal
        .getClass()
        .getMethod("handle", signal.getClass(), Class.forName("sun.misc.SignalHandler"))
        .invoke(null, signal, handler);
  }

  private static Consumer<Object> firstTime(Runnable action) {
    AtomicBoolean seen = new AtomicBoolean();
    return _ -> {
      if (seen.getAndSet(true)) {
        Runtime.getRuntime().halt(INTERRUPTED);
      }
      action.run();
    };
  }
}
