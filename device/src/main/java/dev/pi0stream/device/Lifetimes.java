package dev.pi0stream.device;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/** The open resources of one device, what they take, and the scopes that free them. */
final class Lifetimes {
  private final String device;
  private final Set<DeviceResource> open = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Deque<Frame> frames = new ArrayDeque<>();
  private long weights;
  private long values;
  private boolean closed;

  Lifetimes(String device) {
    this.device = device;
  }

  /** A new resource becomes this device's; all but weights belong to the innermost scope. */
  void adopt(DeviceResource resource) {
    if (resource.owner() != null) {
      throw new IllegalStateException("a resource is adopted twice");
    }
    boolean weight = resource instanceof Weight;
    Frame frame = weight ? null : frames.peek();
    resource.belongTo(this, frame);
    open.add(resource);
    if (weight) {
      weights += resource.bytes();
    } else {
      values += resource.bytes();
    }
    if (frame != null) {
      frame.resources.add(resource);
    }
  }

  /** A resource is about to be freed. */
  void forget(DeviceResource resource) {
    open.remove(resource);
    if (resource instanceof Weight) {
      weights -= resource.bytes();
    } else {
      values -= resource.bytes();
    }
  }

  void checkOpen(String operation) {
    if (closed) {
      throw new IllegalStateException("%s: device '%s' is closed".formatted(operation, device));
    }
  }

  /** Checks that an argument is this device's and open. */
  void check(String operation, String argument, Resource resource) {
    if (resource == null) {
      throw new NullPointerException("%s: %s must not be null".formatted(operation, argument));
    }
    if (!(resource instanceof DeviceResource held) || held.owner() != this) {
      throw new IllegalArgumentException(
          "%s: %s was made by another device than this '%s'"
              .formatted(operation, argument, device));
    }
    if (held.isClosed()) {
      throw new IllegalStateException("%s: %s is closed".formatted(operation, argument));
    }
  }

  Scope scope() {
    Frame frame = new Frame(frames.peek());
    frames.push(frame);
    return frame;
  }

  Device.Usage usage() {
    return new Device.Usage(weights, values, open.size());
  }

  /** Frees everything that is open; true for the first call. */
  boolean close() {
    if (closed) {
      return false;
    }
    closed = true;
    frames.clear();
    List.copyOf(open).forEach(DeviceResource::close);
    return true;
  }

  /** One open scope. */
  final class Frame implements Scope {
    private final Frame around;
    private final List<DeviceResource> resources = new ArrayList<>();

    private Frame(Frame around) {
      this.around = around;
    }

    @Override
    public <R extends Resource> R keep(R resource) {
      checkOpen("keep");
      if (!frames.contains(this)) {
        throw new IllegalStateException("keep: the scope is closed");
      }
      check("keep", "resource", resource);
      // What outlives this scope already, because it was made outside, stays as it is.
      if (resource instanceof DeviceResource held && held.frame() == this) {
        held.belongTo(Lifetimes.this, around);
        if (around != null) {
          around.resources.add(held);
        }
      }
      return resource;
    }

    @Override
    public void close() {
      if (!frames.contains(this)) {
        return;
      }
      if (frames.peek() != this) {
        throw new IllegalStateException("a scope is closed before a scope that was opened in it");
      }
      frames.pop();
      for (DeviceResource resource : resources) {
        if (resource.frame() == this) {
          resource.close();
        }
      }
    }
  }
}
