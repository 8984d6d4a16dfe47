package dev.pi0stream.device.tt.python;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.pi0stream.device.tt.host.TestTtnn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The binding with plain Python and NumPy. */
class InterpreterTest {
  private static Interpreter python;

  @BeforeAll
  static void start() {
    python = TestTtnn.start();
    python.addModules(Path.of("src/test/resources/dev/pi0stream/device/tt/python"));
  }

  @Test
  void valuesCrossBothWays() {
    try (Frame frame = python.frame()) {
      PyObject repr = frame.attribute(frame.module("builtins"), "repr");
      PyObject said =
          frame.call(
              repr,
              List.of(
                  7,
                  -1L,
                  1L << 62,
                  0.1,
                  0.5f,
                  true,
                  false,
                  "πø\0x",
                  new int[] {1, 2},
                  new long[] {3},
                  new Object[] {"a", List.of()}));
      assertThat(frame.string(said))
          .isEqualTo(
              "[7, -1, 4611686018427387904, 0.1, 0.5, True, False, 'πø\\x00x', (1, 2), (3,), ('a',"
                  + " [])]");
      assertThat(frame.string(frame.call(repr, new Object[] {null}))).isEqualTo("None");
      assertThat(frame.string(frame.object("πø\0x"))).isEqualTo("πø\0x");
      assertThat(frame.integer(frame.object(-1))).isEqualTo(-1);
      assertThat(frame.integer(frame.object(Long.MIN_VALUE))).isEqualTo(Long.MIN_VALUE);
      assertThat(frame.text(frame.object(-1.0))).isEqualTo("-1.0");
      assertThat(frame.truth(frame.object(List.of()))).isFalse();
      assertThat(frame.truth(frame.tuple(0))).isTrue();
      assertThat(frame.text(frame.object(null))).isEqualTo("None");
      assertThat(frame.text(frame.tuple(4, 5, 6))).isEqualTo("(4, 5, 6)");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> frame.object('c'))
          .withMessageContaining("java.lang.Character cannot be given to Python");
    }
  }

  @Test
  void longStringsAndManyArgumentsNeedNoRoomOnTheStack() {
    try (Frame frame = python.frame()) {
      String text = "π".repeat(100_000);
      assertThat(frame.string(frame.object(text))).isEqualTo(text);
      Object[] many = new Object[10_000];
      Arrays.setAll(many, i -> i);
      PyObject max = frame.attribute(frame.module("builtins"), "max");
      assertThat(frame.integer(frame.call(max, many))).isEqualTo(9_999);
    }
  }

  @Test
  void keywordsArriveUnderTheirNames() {
    Map<String, Object> keywords = new LinkedHashMap<>();
    keywords.put("b", 2);
    keywords.put("a", "x");
    try (Frame frame = python.frame()) {
      PyObject dict = frame.attribute(frame.module("builtins"), "dict");
      assertThat(frame.text(frame.call(dict, keywords))).isEqualTo("{'b': 2, 'a': 'x'}");
      try (PyFunction prepared = new PyFunction(frame, dict, "b", "a")) {
        assertThat(frame.text(prepared.call(frame, List.of(List.of("c", 3)), 2, "x")))
            .isEqualTo("{'c': 3, 'b': 2, 'a': 'x'}");
        assertThatIllegalArgumentException()
            .isThrownBy(() -> prepared.call(frame, 1))
            .withMessage("1 arguments for a function with 2 keywords");
      }
    }
  }

  @Test
  void exceptionsSayWhatPythonSaid() {
    try (Frame frame = python.frame()) {
      PyObject number = frame.attribute(frame.module("builtins"), "int");
      assertThatExceptionOfType(PythonException.class)
          .isThrownBy(() -> frame.call(number, "x"))
          .withMessage("ValueError: invalid literal for int() with base 10: 'x'")
          .extracting(PythonException::type)
          .isEqualTo("ValueError");
      assertThatExceptionOfType(PythonException.class)
          .isThrownBy(() -> frame.integer(frame.object("x")))
          .withMessageStartingWith("TypeError: ");
      assertThatExceptionOfType(PythonException.class)
          .isThrownBy(() -> frame.module("no.such.module"))
          .withMessage("ModuleNotFoundError: No module named 'no'");
      assertThatExceptionOfType(PythonException.class)
          .isThrownBy(() -> frame.attribute(number, "none_such"))
          .withMessageStartingWith("AttributeError: ");
      // What goes wrong on the way of an argument leaves the frame as it was.
      assertThatIllegalArgumentException().isThrownBy(() -> frame.call(number, "1", this));
      assertThat(frame.integer(frame.call(number, "17"))).isEqualTo(17);
    }
  }

  @Test
  void ofAnExceptionOfTtMetalTheSentenceIsTold() {
    PythonException raised =
        new PythonException(
            "RuntimeError",
            "TT_FATAL @ /a/b.cpp:12: x == y\ninfo:\nOut of Memory: 4 B\nbacktrace:\n --- main\n");
    assertThat(raised).hasMessage("RuntimeError: Out of Memory: 4 B");
    assertThat(raised.text()).contains("b.cpp:12").contains("main");
    assertThat(new PythonException("TypeError", " no info \n")).hasMessage("TypeError: no info");
  }

  @Test
  void whatIsClosedIsNotUsed() {
    Frame closed = python.frame();
    PyObject local = closed.object(1);
    PyReference kept = closed.keep(local);
    closed.close();
    closed.close();
    assertThatIllegalStateException()
        .isThrownBy(() -> closed.module("sys"))
        .withMessage("a frame of Python is used after its close");
    try (Frame frame = python.frame()) {
      assertThatIllegalStateException().isThrownBy(() -> frame.text(local));
      assertThat(frame.text(kept)).isEqualTo("1");
      PyFunction function = new PyFunction(frame, frame.module("builtins"));
      kept.close();
      kept.close();
      assertThatIllegalStateException()
          .isThrownBy(() -> frame.text(kept))
          .withMessage("a reference to an object of Python is used after its close");
      function.close();
      assertThatIllegalStateException().isThrownBy(() -> function.call(frame));
    }
  }

  @Test
  void framesCloseInReverseOrderOnTheirOwnThread() throws Exception {
    try (Frame outer = python.frame();
        Frame inner = python.frame()) {
      assertThatIllegalStateException()
          .isThrownBy(outer::close)
          .withMessage("a frame of Python is closed before one that is inside it");
      assertThat(inner.text(outer.object(3))).isEqualTo("3");
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      Thread other =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      inner.object(1);
                    } catch (WrongThreadException e) {
                      thrown.set(e);
                    }
                  });
      other.join();
      assertThat(thrown.get()).isInstanceOf(WrongThreadException.class);
    }
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                python.frame();
              } catch (IllegalStateException e) {
                thrown.set(e);
              }
            })
        .join();
    assertThat(thrown.get()).hasMessage("a frame of Python needs a platform thread");
  }

  @Test
  void manyThreadsTakeTurns() throws Exception {
    int threads = 4;
    int times = 2_000;
    try (Frame frame = python.frame();
        PyReference list = frame.keep(frame.object(List.of()));
        PyReference append = frame.keep(frame.attribute(list, "append"))) {
      // This thread holds the GIL: the others wait until its frame is left.
      Callable<Integer> work =
          () -> {
            for (int i = 0; i < times; i++) {
              try (Frame mine = python.frame()) {
                mine.call(append, i);
              }
            }
            return times;
          };
      ExecutorService pool = Executors.newFixedThreadPool(threads);
      List<Future<Integer>> futures;
      try {
        futures =
            List.of(pool.submit(work), pool.submit(work), pool.submit(work), pool.submit(work));
        PyObject sleep = frame.attribute(frame.module("time"), "sleep");
        for (Future<Integer> future : futures) {
          while (!future.isDone()) {
            frame.call(sleep, 0.001);
          }
          assertThat(future.get()).isEqualTo(times);
        }
      } finally {
        pool.shutdown();
      }
      assertThat(frame.size(list)).isEqualTo(threads * times);
    }
  }

  @Test
  void aReferenceThatIsClosedDuringItsCallLivesUntilItsEnd() throws Exception {
    PyReference argument;
    PyReference died;
    try (Frame frame = python.frame()) {
      PyObject object = frame.call(frame.attribute(frame.module("builtins"), "set"));
      argument = frame.keep(object);
      died = frame.keep(frame.call(frame.attribute(frame.module("weakref"), "ref"), object));
    }
    try (Frame frame = python.frame()) {
      PyObject calls = frame.module("pi0_test_calls");
      // Sleeps, which lets others run, then looks at the argument again.
      Thread closer = Thread.ofPlatform().start(argument::close);
      PyObject alive = frame.call(frame.attribute(calls, "sleep_and_look"), died, argument);
      closer.join();
      assertThat(frame.truth(alive)).isTrue();
      assertThat(frame.text(frame.call(died))).isEqualTo("None");
      died.close();
    }
  }

  @Test
  void referencesStayFlatOverThousandsOfCalls() {
    long before = Interpreter.openReferences();
    try (Frame outer = python.frame();
        Arena arena = Arena.ofConfined()) {
      PyObject sys = outer.module("sys");
      PyObject blocks = outer.attribute(sys, "getallocatedblocks");
      PyObject numpy = outer.module("numpy");
      MemorySegment memory = arena.allocate(64);
      long start = 0;
      for (int i = 0; i < 6_000; i++) {
        if (i == 1_000) {
          start = outer.integer(outer.call(blocks));
        }
        try (Frame frame = python.frame()) {
          PyObject array =
              frame.invoke(numpy, "from_dlpack", frame.lend(memory, ElementType.FLOAT32, 4, 4));
          frame.lend(memory, ElementType.BFLOAT16, 32);
          frame.read(frame.invoke(array, "copy"), memory);
          PyReference kept = frame.keep(frame.object(List.of("a", i, 0.5 * i, new int[] {i})));
          try {
            frame.call(numpy, i);
          } catch (PythonException e) {
            assertThat(e.type()).isEqualTo("TypeError");
          }
          kept.close();
        }
      }
      assertThat(outer.integer(outer.call(blocks)) - start).isLessThan(100);
    }
    assertThat(Interpreter.openReferences()).isEqualTo(before);
  }

  @Test
  void memoryIsLentAndReadWithoutACopy() {
    try (Arena arena = Arena.ofConfined();
        Frame frame = python.frame()) {
      MemorySegment floats =
          arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1.5f, -2, 0, 3, Float.MAX_VALUE, -0.0f);
      PyObject array =
          frame.invoke(
              frame.module("numpy"), "from_dlpack", frame.lend(floats, ElementType.FLOAT32, 2, 3));
      assertThat(frame.text(frame.attribute(array, "shape"))).isEqualTo("(2, 3)");
      assertThat(frame.text(frame.attribute(array, "dtype"))).isEqualTo("float32");
      MemorySegment seen = frame.view(array);
      assertThat(seen.address()).isEqualTo(floats.address());
      assertThat(seen.isReadOnly()).isTrue();
      MemorySegment copy = arena.allocate(24);
      frame.read(array, copy);
      assertThat(copy.mismatch(floats)).isEqualTo(-1);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> frame.read(array, arena.allocate(20)))
          .withMessage("a buffer of 24 bytes cannot be read into 20 bytes");
      PyObject transposed = frame.attribute(array, "T");
      assertThatExceptionOfType(PythonException.class)
          .isThrownBy(() -> frame.view(transposed))
          .withMessageContaining("not C-contiguous");
    }
  }

  @Test
  void allElementTypesAreLent() {
    try (Arena arena = Arena.ofConfined();
        Frame frame = python.frame()) {
      MemorySegment numbers = arena.allocateFrom(ValueLayout.JAVA_INT, -1, 2);
      PyObject numpy = frame.module("numpy");
      assertThat(
              frame.text(
                  frame.invoke(numpy, "from_dlpack", frame.lend(numbers, ElementType.INT32, 2))))
          .isEqualTo("[-1  2]");
      assertThat(
              frame.text(
                  frame.invoke(numpy, "from_dlpack", frame.lend(numbers, ElementType.UINT32, 2))))
          .isEqualTo("[4294967295          2]");
      // NumPy has no bfloat16, and says so.
      PyObject halves = frame.lend(numbers, ElementType.BFLOAT16, 4);
      assertThatExceptionOfType(PythonException.class)
          .isThrownBy(() -> frame.invoke(numpy, "from_dlpack", halves));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> frame.lend(numbers, ElementType.INT32, 3))
          .withMessageContaining("8 bytes of native memory for a tensor of [3] × INT32");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> frame.lend(MemorySegment.ofArray(new int[2]), ElementType.INT32, 2))
          .withMessageContaining("heap memory");
    }
  }

  @Test
  void whatWasLentAndNotTakenIsWithdrawnWithTheFrame() {
    try (Arena arena = Arena.ofConfined();
        Frame frame = python.frame()) {
      PyReference late;
      try (Frame inner = python.frame()) {
        late = inner.keep(inner.lend(arena.allocate(8), ElementType.INT32, 2));
      }
      PyObject numpy = frame.module("numpy");
      assertThatExceptionOfType(PythonException.class)
          .isThrownBy(() -> frame.invoke(numpy, "from_dlpack", late));
      late.close();
    }
  }
}
