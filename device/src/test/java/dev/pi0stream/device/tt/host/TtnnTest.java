package dev.pi0stream.device.tt.host;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.foreign.Environment;
import dev.pi0stream.device.tt.python.ElementType;
import dev.pi0stream.device.tt.python.Frame;
import dev.pi0stream.device.tt.python.Interpreter;
import dev.pi0stream.device.tt.python.PyFunction;
import dev.pi0stream.device.tt.python.PyObject;
import dev.pi0stream.device.tt.python.PythonException;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** TTNN through the binding: what starts it, and how it fails. */
class TtnnTest {
  private static Interpreter python;

  @TempDir private Path folder;

  @BeforeAll
  static void start() {
    python = TestTtnn.start();
  }

  @Test
  void variablesAreSetBeforePythonStarts() {
    try (Frame frame = python.frame()) {
      PyObject environ = frame.attribute(frame.module("os"), "environ");
      for (Map.Entry<String, String> variable : TestTtnn.machine().variables().entrySet()) {
        String value = System.getenv().getOrDefault(variable.getKey(), variable.getValue());
        assertThat(frame.string(frame.invoke(environ, "get", variable.getKey()))).isEqualTo(value);
        assertThat(Environment.get(variable.getKey())).isEqualTo(value);
      }
    }
  }

  @Test
  void aProcessHasOneInterpreter() throws IOException {
    TtnnInstallation ttnn = TtnnInstallation.find(TestTtnn.machine());
    assertThat(TestTtnn.machine().start(ttnn)).isSameAs(python);
    // Another environment of the same Python.
    Path other = folder.resolve("other");
    Files.createDirectories(other);
    Files.copy(ttnn.venv().directory().resolve("pyvenv.cfg"), other.resolve("pyvenv.cfg"));
    Path packages = other.resolve("lib/python3.12/site-packages");
    Files.createDirectories(packages.resolve("ttnn"));
    Files.createDirectories(
        packages.resolve("ttnn-%s.dist-info".formatted(TtnnInstallation.VERSION)));
    assertThatExceptionOfType(DeviceException.class)
        .isThrownBy(() -> TestTtnn.machine().start(TtnnInstallation.open(other)))
        .withMessageContaining("a process has one interpreter only: " + other + " needs a process");
  }

  @Test
  void anotherClassLoaderUsesTheSameInterpreter() throws Exception {
    List<URL> path = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      path.add(Path.of(entry).toUri().toURL());
    }
    try (Frame frame = python.frame()) {
      frame.call(
          frame.attribute(frame.module("builtins"), "setattr"),
          frame.module("sys"),
          "pi0_seen_by",
          "the first");
    }
    try (URLClassLoader second =
        new URLClassLoader(path.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
      Class<?> other = second.loadClass(OtherLoader.class.getName());
      assertThat(other).isNotEqualTo(OtherLoader.class);
      assertThat(other.getMethod("seen").invoke(null)).isEqualTo("the first");
    }
    assertThat(OtherLoader.seen()).isEqualTo("the first");
  }

  /** Loaded by two class loaders. */
  public static final class OtherLoader {
    private OtherLoader() {}

    /** What the interpreter knows, however many frames are opened and references kept. */
    public static String seen() {
      try (Frame frame = TestTtnn.start().frame();
          var sys = frame.keep(frame.module("sys"))) {
        return frame.string(frame.attribute(sys, "pi0_seen_by"));
      }
    }
  }

  @Test
  void aMistakeIsToldInTtMetalsSentence() {
    assumeTrue(
        TestTtnn.machine().target() == Target.MOCK, "kernels are not compiled for this test");
    try (Frame frame = python.frame();
        MeshDevice device = new MeshDevice(frame)) {
      PyObject ttnn = frame.module("ttnn");
      PyObject x = device.zeros(frame, 64, 1024);
      try (PyFunction linear =
          new PyFunction(frame, frame.attribute(ttnn, "linear.function"), "dtype")) {
        PyObject bf16 = frame.attribute(ttnn, "bfloat16");
        assertThat(
                frame.text(
                    frame.attribute(
                        linear.call(frame, x, device.zeros(frame, 1024, 32), bf16), "shape")))
            .isEqualTo("Shape([64, 32])");
        assertThatExceptionOfType(PythonException.class)
            .isThrownBy(() -> linear.call(frame, x, x, bf16))
            .withMessage(
                "RuntimeError: The width of the first tensor must be equal to the height of the"
                    + " second tensor. Mismatch: width=1024 height=64");
        assertThatExceptionOfType(PythonException.class)
            .isThrownBy(() -> linear.call(frame, "x", x, bf16))
            .withMessageStartingWith("TypeError: ");
      }
    }
  }

  @Test
  void memoryIsLentToTtnnAndReadBackWhole() {
    int rows = 33;
    int columns = 70;
    try (Frame outer = python.frame();
        Arena arena = Arena.ofConfined()) {
      PyObject ttnn = outer.module("ttnn");
      PyObject tile = outer.attribute(ttnn, "TILE_LAYOUT");
      PyObject bf16 = outer.attribute(ttnn, "bfloat16");
      PyObject fp32 = outer.attribute(ttnn, "float32");
      MemorySegment halves = arena.allocate(2L * rows * columns, 64);
      MemorySegment back = arena.allocate(4L * rows * columns, 64);
      // TTNN takes what is lent twice in a call: again and again, since a mistake shows in the
      // heap.
      for (int i = 0; i < 200; i++) {
        for (int j = 0; j < rows * columns; j++) {
          halves.setAtIndex(JAVA_SHORT, j, (short) (0x3f80 + (i + j) % 1000));
        }
        try (Frame frame = python.frame()) {
          PyObject tensor =
              frame.call(
                  frame.attribute(ttnn, "Tensor"),
                  frame.lend(halves, ElementType.BFLOAT16, rows, columns),
                  bf16,
                  null,
                  tile);
          PyObject floats = frame.call(frame.attribute(ttnn, "to_dtype"), tensor, fp32);
          frame.read(frame.invoke(floats, "to_numpy"), back);
        }
        for (int j = 0; j < rows * columns; j++) {
          assertThat(back.getAtIndex(JAVA_INT, j))
              .isEqualTo(Short.toUnsignedInt(halves.getAtIndex(JAVA_SHORT, j)) << 16);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyBoardOpens(MockBoard board) throws Exception {
    Map<MockBoard, String> grids =
        Map.of(
            MockBoard.P100, "11-10",
            MockBoard.P150, "11-10",
            MockBoard.P300, "11-10",
            MockBoard.N150, "8-8",
            MockBoard.N300, "8-7");
    assertThat(BoardProcess.run(board, Grid.class)).containsExactly(grids.get(board));
  }

  /** Prints the grid of the board that the process is given. */
  static final class Grid {
    private Grid() {}

    public static void main(String[] arguments) {
      try (Frame frame = TestTtnn.start().frame();
          MeshDevice device = new MeshDevice(frame)) {
        System.out.println(frame.text(frame.invoke(device.mesh, "compute_with_storage_grid_size")));
      }
    }
  }

  @Test
  void aLibraryThatIsNoneIsToldInTheLinkersWordsAndAnotherStillLoads() throws Exception {
    FakeMachine fake = new FakeMachine(folder);
    fake.addVenv("3.12.1", true);
    fake.addTtnn(TtnnInstallation.VERSION);
    List<String> said =
        BoardProcess.run(MockBoard.P150, TwoLibraries.class, fake.venv().toString());
    assertThat(said).hasSize(2);
    assertThat(said.getFirst())
        .contains(fake.python().resolve("lib/libpython3.12.so") + " cannot be loaded: ");
    assertThat(said.getLast()).isEqualTo("ttnn");
  }

  /** Starts Python where it cannot, then where it can. */
  static final class TwoLibraries {
    private TwoLibraries() {}

    public static void main(String[] arguments) {
      try {
        TestTtnn.machine().start(TtnnInstallation.open(Path.of(arguments[0])));
      } catch (DeviceException e) {
        System.out.println(e.getMessage());
      }
      try (Frame frame = TestTtnn.start().frame()) {
        System.out.println(frame.text(frame.attribute(frame.module("ttnn"), "__name__")));
      }
    }
  }

  /** One chip, opened in a frame. */
  private static final class MeshDevice implements AutoCloseable {
    private final Frame frame;
    private final PyObject ttnn;
    private final PyObject mesh;

    MeshDevice(Frame frame) {
      this.frame = frame;
      ttnn = frame.module("ttnn");
      PyObject worker =
          frame.call(
              frame.attribute(ttnn, "DispatchCoreConfig"),
              frame.attribute(ttnn, "DispatchCoreType.WORKER"));
      mesh =
          frame.call(
              frame.attribute(ttnn, "open_mesh_device"),
              Map.of("dispatch_core_config", worker),
              frame.call(frame.attribute(ttnn, "MeshShape"), 1, 1));
    }

    PyObject zeros(Frame frame, int rows, int columns) {
      return frame.call(
          frame.attribute(ttnn, "zeros"),
          Map.of(
              "dtype",
              frame.attribute(ttnn, "bfloat16"),
              "layout",
              frame.attribute(ttnn, "TILE_LAYOUT"),
              "device",
              mesh),
          new int[] {rows, columns});
    }

    @Override
    public void close() {
      frame.invoke(ttnn, "close_mesh_device", mesh);
    }
  }
}
