package dev.pi0stream.operators.policy;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The engines of a TaskManager. An engine is loaded by the first who asks for it and stays until
 * the last of its holders lets go. Holders are jobs, not tasks: a task that restarts finds the
 * weights where they were.
 *
 * <p>An engine whose device failed is not handed out again: the next who asks loads a new one.
 */
public final class DevicePool {
  private static final DevicePool TASK_MANAGER = new DevicePool();

  private final Map<EngineSpec, Place> places = new ConcurrentHashMap<>();
  private final AtomicLong loads = new AtomicLong();

  /** The pool of this process. */
  public static DevicePool ofTaskManager() {
    return TASK_MANAGER;
  }

  /**
   * The engine of a specification, loaded when there is none.
   *
   * @param holder for whom it is kept, by identity
   * @throws Exception what the loader throws
   */
  public ResidentEngine acquire(EngineSpec spec, PolicyLoader loader, Object holder)
      throws Exception {
    Place place = places.computeIfAbsent(spec, _ -> new Place());
    synchronized (place) {
      if (place.engine != null && place.engine.engine().hasEnded()) {
        place.free();
      }
      if (place.engine == null) {
        place.engine = ResidentEngine.start(spec, loader, place.statistics);
        loads.incrementAndGet();
      }
      place.holders.add(holder);
      return place.engine;
    }
  }

  /** Lets go of an engine; the last holder closes it. */
  public void release(EngineSpec spec, Object holder) {
    Place place = places.get(spec);
    if (place == null) {
      return;
    }
    synchronized (place) {
      if (place.holders.remove(holder) && place.holders.isEmpty() && place.engine != null) {
        place.free();
      }
    }
  }

  /** How many engines were loaded since the process began. */
  public long loads() {
    return loads.get();
  }

  /** An engine and who holds it; guarded by itself, so that different engines load in parallel. */
  private static final class Place {
    private final Set<Object> holders = Collections.newSetFromMap(new IdentityHashMap<>());
    private final EngineStatistics statistics = new EngineStatistics();
    private ResidentEngine engine;

    void free() {
      engine.close();
      engine = null;
    }
  }
}
