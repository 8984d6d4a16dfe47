package dev.pi0stream.job.watch;

import dev.pi0stream.device.Device;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/** A device of which every call is told to a watcher once it has returned. */
public final class WatchedDevice {
  private WatchedDevice() {}

  /** Is told what a device was asked. */
  @FunctionalInterface
  public interface Watcher {
    /**
     * Takes a call that has returned.
     *
     * @param method of {@link Device}
     * @param arguments as they were given; null for none
     * @param result null for none
     */
    void called(Method method, Object[] arguments, Object result);
  }

  /** A device that passes everything on to another, which the caller closes. */
  public static Device of(Device watched, Watcher watcher) {
    return (Device)
        Proxy.newProxyInstance(
            Device.class.getClassLoader(),
            new Class<?>[] {Device.class},
            (_, method, arguments) -> {
              try {
                Object result = method.invoke(watched, arguments);
                watcher.called(method, arguments, result);
                return result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
