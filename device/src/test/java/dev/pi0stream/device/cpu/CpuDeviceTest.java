package dev.pi0stream.device.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.Epilogue;
import dev.pi0stream.device.GatedLinear;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Norm;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import java.io.File;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class CpuDeviceTest {
  @ParameterizedTest
  @EnumSource(names = {"FP32", "BF16", "INT8"})
  void nativeMemoryIsFlatAfterTheFirstRoundAndGoneAfterClose(Precision precision) {
    long before = NativeMemory.allocated();
    CpuDevice device = CpuDevice.open(precision, 2);
    Layer layer = new Layer(device);
    layer.run();
    long warm = NativeMemory.allocated();
    assertThat(warm).isGreaterThan(before);
    for (int round = 0; round < 200; round++) {
      layer.run();
    }
    assertThat(NativeMemory.allocated()).isEqualTo(warm);
    device.close();
    assertThat(NativeMemory.allocated()).isEqualTo(before);
  }

  /** One of every kind of operation. */
  private static final class Layer {
    private final Device device;
    private final Heads heads = new Heads(4, 2, 8);
    private final Linear projection;
    private final GatedLinear gated;
    private final Norm norm;

    Layer(Device device) {
      this.device = device;
      Parameter query = Parameter.of("q", 32, 16, filled(32 * 16));
      Parameter key = Parameter.of("k", 16, 16, filled(16 * 16));
      projection = device.projection(heads, query, key, key, List.of());
      gated = device.gatedLinear(query, query);
      norm = device.rmsNorm(null, 16, 1e-6f);
    }

    void run() {
      try (Scope scope = device.scope()) {
        Sequences sequences = Sequences.of(5, 4);
        Tensor x = device.upload(filled(9 * 16), sequences, 16);
        KeyValues keyValues = device.keyValues(sequences, 2, heads);
        Tensor normed = scope.keep(device.adaptiveRmsNorm(x, norm, row(x), row(x)));
        Tensor packed =
            device.rope(
                device.linear(normed, projection),
                heads,
                device.rotation(new int[9], sequences, 8, 10_000));
        device.store(packed, heads, keyValues, 0);
        KeyValues joined = device.join(List.of(List.of(new Device.Part(keyValues, 1))));
        int bytes = device.precision() == Precision.FP32 ? 4 : 2;
        assertThat(joined.bytes()).isEqualTo(4L * 16 * 2 * 2 * bytes);
        Mask mask = device.mask(sequences, sequences);
        Tensor attended = device.attention(packed, heads, mask, keyValues, 0);
        Tensor mixed = device.gatedLinear(device.add(normed, row(x)), gated);
        assertThat(device.download(device.axpy(attended, 1, mixed))).hasSize(9 * 32);
        normed.close();
      }
    }

    private Tensor row(Tensor x) {
      return device.rows(List.of(List.of(new Device.Rows(x, 0, 1))));
    }
  }

  @Test
  void epiloguesRunOnTheCallersThreadWhicheverItIs() throws InterruptedException {
    try (CpuDevice device = CpuDevice.open(Precision.FP32, 2)) {
      Linear linear = device.linear(Parameter.of("w", 40, 30, filled(1200)), null);
      Tensor x = device.upload(filled(300), 10, 30);
      Tensor residual = device.upload(filled(400), 10, 40);
      float[] here = device.download(device.linear(x, linear, Epilogue.residual(residual)));
      AtomicReference<float[]> there = new AtomicReference<>();
      Thread thread =
          new Thread(
              () ->
                  there.set(
                      device.download(device.linear(x, linear, Epilogue.residual(residual)))));
      thread.start();
      thread.join();
      assertThat(there.get()).containsExactly(here);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void anyNumberOfThreadsGivesTheSame(int threads) {
    float[] weights = filled(300 * 200);
    float[] rows = filled(700 * 200);
    float[] one;
    try (CpuDevice device = CpuDevice.open(Precision.FP32, 1)) {
      Linear linear = device.linear(Parameter.of("w", 300, 200, weights), null);
      one = device.download(device.linear(device.upload(rows, 700, 200), linear));
    }
    try (CpuDevice device = CpuDevice.open(Precision.FP32, threads)) {
      Linear linear = device.linear(Parameter.of("w", 300, 200, weights), null);
      float[] several = device.download(device.linear(device.upload(rows, 700, 200), linear));
      double largest = 0;
      for (int i = 0; i < one.length; i++) {
        largest = Math.max(largest, Math.abs((double) several[i] - one[i]));
      }
      assertThat(largest).isLessThan(1e-4);
    }
  }

  @Test
  void theNumberOfThreadsIsChecked() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> CpuDevice.open(Precision.FP32, 0))
        .withMessage("0 threads: expected at least 1");
    System.setProperty(CpuDevice.THREADS_PROPERTY, "many");
    try {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> CpuDevice.open(Precision.FP32))
          .withMessage("-Dpi0.cpu.threads=many: expected a positive number");
      System.setProperty(CpuDevice.THREADS_PROPERTY, "2");
      CpuDevice.open(Precision.FP32).close();
    } finally {
      System.clearProperty(CpuDevice.THREADS_PROPERTY);
    }
  }

  @Test
  void aSecondClassLoaderUsesTheLibraryToo() throws Exception {
    URL[] urls =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
            .map(entry -> new File(entry).toURI())
            .map(CpuDeviceTest::url)
            .toArray(URL[]::new);
    try (CpuDevice here = CpuDevice.open(Precision.FP32, 2);
        URLClassLoader loader =
            new URLClassLoader("second", urls, ClassLoader.getPlatformClassLoader())) {
      Class<?> second = loader.loadClass(CpuDeviceTest.class.getName());
      assertThat(second).isNotSameAs(CpuDeviceTest.class);
      Method compute = second.getDeclaredMethod("compute");
      compute.setAccessible(true);
      assertThat((float[]) compute.invoke(null)).containsExactly(compute());
      assertThat(here.download(here.upload(filled(3), 1, 3))).containsExactly(filled(3));
    }
  }

  private static URL url(URI uri) {
    try {
      return uri.toURL();
    } catch (java.net.MalformedURLException e) {
      throw new AssertionError(e);
    }
  }

  static float[] compute() {
    try (CpuDevice device = CpuDevice.open(Precision.BF16, 2)) {
      Linear linear = device.linear(Parameter.of("w", 4, 3, filled(12)), null);
      return device.download(device.linear(device.upload(filled(6), 2, 3), linear));
    }
  }

  @Test
  void aFaultOfTheLibraryNamesItsFunctionAndTheStatus() {
    OneDnn.verifyAvailable();
    assertThatExceptionOfType(DeviceException.class)
        .isThrownBy(() -> OneDnn.descriptor(DataType.F32, new long[] {-1, 2}, new long[] {2, 1}))
        .withMessage(
            "oneDNN: dnnl_memory_desc_create_with_strides failed with status 2, invalid arguments");
    assertThat(OneDnn.meaning(3)).startsWith("not implemented");
  }

  @Test
  void batchesOfAboutTheSameSizeShareCompiledPrimitives() {
    try (MemoryPool pool = new MemoryPool(1 << 20)) {
      int[] computed =
          IntStream.of(0, 1, 31, 32, 33, 50, 256, 257, 816, 817)
              .map(rows -> computedRows(rows, pool))
              .toArray();
      assertThat(computed).containsExactly(0, 1, 31, 32, 33, 50, 256, 264, 816, 832);
    }
  }

  private static int computedRows(int rows, MemoryPool pool) {
    try (NativeTensor tensor = new NativeTensor(DataType.F32, Sequences.of(rows), 3, pool)) {
      assertThat(tensor.values().byteSize()).isGreaterThanOrEqualTo(tensor.computedRows() * 12L);
      return tensor.computedRows();
    }
  }

  @Test
  void primitivesAreSharedAndTheLeastRecentlyUsedGoes() {
    OneDnn.verifyAvailable();
    try (Engine engine = new Engine(1);
        Primitives primitives = new Primitives(engine, 2);
        Workspace scratchpad = new Workspace();
        Workspace numbers = new Workspace()) {
      Primitive first = primitives.of(new Operation.Softmax(DataType.F32, 2, 3));
      Primitive second = primitives.of(new Operation.Softmax(DataType.F32, 2, 4));
      assertThat(primitives.of(new Operation.Softmax(DataType.F32, 2, 3))).isSameAs(first);
      primitives.of(new Operation.Softmax(DataType.F32, 2, 5));
      assertThat(primitives.of(new Operation.Softmax(DataType.F32, 2, 3))).isSameAs(first);
      assertThat(primitives.of(new Operation.Softmax(DataType.F32, 2, 4))).isNotSameAs(second);
      long address = numbers.address(8 * Float.BYTES);
      numbers.reserve(0).fill((byte) 0);
      primitives.of(new Operation.Softmax(DataType.F32, 2, 4)).run(scratchpad, address, address);
      assertThat(numbers.reserve(0).getAtIndex(java.lang.foreign.ValueLayout.JAVA_FLOAT, 7))
          .isEqualTo(0.25f);
    }
  }

  private static float[] filled(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (i * 7 % 23 - 11) / 16f;
    }
    return values;
  }
}
