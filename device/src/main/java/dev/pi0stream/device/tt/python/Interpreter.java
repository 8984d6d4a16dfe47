package dev.pi0stream.device.tt.python;

import static dev.pi0stream.device.tt.python.CPython.PY;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.foreign.Environment;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The Python interpreter of this process. There is one for all threads and class loaders, it is
 * started once and never finalised: extension modules do not survive a second start, and a process
 * ends well with the interpreter in it.
 */
public final class Interpreter {
  /** Literals are one object for all class loaders: where they start, one waits for the other. */
  private static final String PROCESS = "dev.pi0stream.device.tt.python.Interpreter";

  private static final int KEEP_SIGNAL_HANDLERS = 0;

  /** Attribute names as Python's strings, made once; they live as long as the process. */
  private static final Map<String, MemorySegment> NAMES = new ConcurrentHashMap<>();

  private static Interpreter running;

  private final Path prefix;

  private Interpreter(Path prefix) {
    this.prefix = prefix;
  }

  /**
   * Starts the interpreter in a virtual environment, or takes the one that runs in it already.
   *
   * @param environment variables that are set before it starts, unless the user has set them
   * @throws DeviceException where it runs in another one, or cannot be started
   */
  public static Interpreter start(Venv venv, Map<String, String> environment) {
    synchronized (PROCESS) {
      if (running == null) {
        LibPython.load(venv.library());
        if (CPython.status(PY.isInitialized()) == 0) {
          initialize(venv, environment);
        }
        running = new Interpreter(prefix());
        LentMemory.define();
      }
      running.checkRunsIn(venv);
      return running;
    }
  }

  private static void initialize(Venv venv, Map<String, String> environment) {
    // With it CPython looks for its library elsewhere, and ends the process where there is none.
    if (System.getenv("PYTHONHOME") != null) {
      throw new DeviceException(
          "PYTHONHOME is set to %s, which would take Python away from %s: unset it"
              .formatted(System.getenv("PYTHONHOME"), venv.directory()));
    }
    environment.forEach(Environment::set);
    // The program's name makes CPython find pyvenv.cfg, and so the packages of the environment. It
    // keeps the pointer.
    MemorySegment program =
        CPython.pointer(
            PY.decodeLocale(),
            Arena.global().allocateFrom(venv.python().toString()),
            MemorySegment.NULL);
    CPython.run(PY.setProgramName(), program);
    CPython.run(PY.initialize(), KEEP_SIGNAL_HANDLERS);
    // Starting takes the GIL, which belongs to whoever opens a frame.
    CPython.pointer(PY.saveThread());
  }

  /** Where the interpreter says that it runs. */
  private static Path prefix() {
    try (Frame frame = new Frame()) {
      return Path.of(frame.string(frame.attribute(frame.module("sys"), "prefix")));
    }
  }

  private void checkRunsIn(Venv wanted) {
    try {
      if (Files.isSameFile(prefix, wanted.directory())) {
        return;
      }
    } catch (IOException e) {
      // One of them is gone: not the same.
    }
    throw new DeviceException(
        "Python runs in %s, and a process has one interpreter only: %s needs a process of its own"
            .formatted(prefix, wanted.directory()));
  }

  /**
   * Takes the GIL on this thread, until the frame is closed.
   *
   * @throws IllegalStateException on a virtual thread, which could be moved to another one that
   *     does not hold the GIL
   */
  public Frame frame() {
    return new Frame();
  }

  /** Makes Python look for modules in a directory first, if it does not look there yet. */
  public void addModules(Path directory) {
    String wanted = directory.toAbsolutePath().toString();
    try (Frame frame = new Frame()) {
      PyObject path = frame.attribute(frame.module("sys"), "path");
      for (int i = 0; i < frame.size(path); i++) {
        if (frame.text(frame.item(path, i)).equals(wanted)) {
          return;
        }
      }
      frame.call(frame.attribute(path, "insert"), 0, wanted);
    }
  }

  /** How many {@link PyReference}s are open in this process: what a leak would make grow. */
  public static long openReferences() {
    return PyReference.open();
  }

  /** A name as an interned string object that lives forever; under the GIL. */
  static MemorySegment name(String name) {
    MemorySegment known = NAMES.get(name);
    if (known != null) {
      return known;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment made = CPython.pointer(PY.internedFrom(), arena.allocateFrom(name));
      if (made.address() == 0) {
        throw PythonException.raised();
      }
      NAMES.put(name, made);
      return made;
    }
  }
}
