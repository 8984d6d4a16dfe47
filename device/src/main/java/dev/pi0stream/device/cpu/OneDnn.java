package dev.pi0stream.device.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.foreign.NativeFunctions;
import dev.pi0stream.device.foreign.NativeSignature;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;

/**
 * The functions of oneDNN's C API that we use, under its names ({@code oneapi/dnnl/dnnl.h}). A
 * status other than success becomes a {@link DeviceException} with the function's name.
 */
@SuppressWarnings("restricted")
final class OneDnn {
  // dnnl_types.h
  static final int ARG_SRC = 1;
  static final int ARG_SRC_1 = 2;
  static final int ARG_DST = 17;
  static final int ARG_WEIGHTS = 33;
  static final int ARG_BIAS = 41;
  static final int ARG_SCALE = 51;
  static final int ARG_SHIFT = 52;
  static final int ARG_SCRATCHPAD = 80;
  static final int ARG_WEIGHTS_SCALES = 4096 | ARG_WEIGHTS;
  static final int ELTWISE_LINEAR = 38;
  static final int ELTWISE_GELU_TANH = 43;
  static final int ELTWISE_SWISH = 44;
  static final int BINARY_ADD = 0x1fff0;
  static final int BINARY_MUL = 0x1fff1;
  static final int USE_SCALE = 2;
  static final int USE_SHIFT = 4;
  static final int RMS_NORM = 32;
  static final int QUERY_WEIGHTS = 131;
  static final int QUERY_SCRATCHPAD = 136;

  private static final int ARG_POST_OP = 32768;
  private static final int CPU = 1;
  private static final int IN_ORDER = 1;
  private static final int FORMAT_ANY = 1;
  private static final int FORWARD_INFERENCE = 96;
  private static final int SOFTMAX_ACCURATE = 0x30000;
  private static final int SCRATCHPAD_USER = 1;
  private static final int FPMATH_STRICT = 0;

  /** The major version whose constants these are. */
  private static final int MAJOR_VERSION = 3;

  /** Loaded with the class that first needs it, so that a failure can be told more than once. */
  private static final Functions DNNL;

  private static final DeviceException FAILURE;

  static {
    Functions functions = null;
    DeviceException failure = null;
    try {
      SymbolLookup library = NativeLibrary.load();
      functions = NativeFunctions.link(MethodHandles.lookup(), Functions.class, library);
    } catch (DeviceException e) {
      failure = e;
    }
    DNNL = functions;
    FAILURE = failure;
  }

  private OneDnn() {}

  record Functions(
      @NativeSignature(
              name = "dnnl_version",
              returns = MemorySegment.class,
              arguments = {})
          MethodHandle version,
      // Of the OpenMP runtime that the library is linked with.
      @NativeSignature(
              name = "omp_set_num_threads",
              returns = void.class,
              arguments = {int.class})
          MethodHandle setThreads,
      @NativeSignature(
              name = "dnnl_engine_create",
              arguments = {MemorySegment.class, int.class, long.class})
          MethodHandle engineCreate,
      @NativeSignature(
              name = "dnnl_engine_destroy",
              arguments = {MemorySegment.class})
          MethodHandle engineDestroy,
      @NativeSignature(
              name = "dnnl_stream_create",
              arguments = {MemorySegment.class, MemorySegment.class, int.class})
          MethodHandle streamCreate,
      @NativeSignature(
              name = "dnnl_stream_wait",
              arguments = {MemorySegment.class})
          MethodHandle streamWait,
      @NativeSignature(
              name = "dnnl_stream_destroy",
              arguments = {MemorySegment.class})
          MethodHandle streamDestroy,
      @NativeSignature(
              name = "dnnl_memory_desc_create_with_strides",
              arguments = {
                MemorySegment.class,
                int.class,
                MemorySegment.class,
                int.class,
                MemorySegment.class
              })
          MethodHandle descriptorWithStrides,
      @NativeSignature(
              name = "dnnl_memory_desc_create_with_tag",
              arguments = {
                MemorySegment.class,
                int.class,
                MemorySegment.class,
                int.class,
                int.class
              })
          MethodHandle descriptorWithTag,
      @NativeSignature(
              name = "dnnl_memory_desc_clone",
              arguments = {MemorySegment.class, MemorySegment.class})
          MethodHandle descriptorClone,
      @NativeSignature(
              name = "dnnl_memory_desc_get_size",
              returns = long.class,
              arguments = {MemorySegment.class})
          MethodHandle descriptorSize,
      @NativeSignature(
              name = "dnnl_memory_desc_destroy",
              arguments = {MemorySegment.class})
          MethodHandle descriptorDestroy,
      @NativeSignature(
              name = "dnnl_memory_create",
              arguments = {
                MemorySegment.class,
                MemorySegment.class,
                MemorySegment.class,
                MemorySegment.class
              })
          MethodHandle memoryCreate,
      @NativeSignature(
              name = "dnnl_memory_set_data_handle",
              arguments = {MemorySegment.class, long.class})
          MethodHandle memorySetData,
      @NativeSignature(
              name = "dnnl_memory_destroy",
              arguments = {MemorySegment.class})
          MethodHandle memoryDestroy,
      @NativeSignature(
              name = "dnnl_primitive_attr_create",
              arguments = {MemorySegment.class})
          MethodHandle attributesCreate,
      @NativeSignature(
              name = "dnnl_primitive_attr_set_scratchpad_mode",
              arguments = {MemorySegment.class, int.class})
          MethodHandle attributesSetScratchpad,
      @NativeSignature(
              name = "dnnl_primitive_attr_set_fpmath_mode",
              arguments = {MemorySegment.class, int.class})
          MethodHandle attributesSetFpMath,
      @NativeSignature(
              name = "dnnl_primitive_attr_set_post_ops",
              arguments = {MemorySegment.class, MemorySegment.class})
          MethodHandle attributesSetPostOps,
      @NativeSignature(
              name = "dnnl_primitive_attr_set_scales_mask",
              arguments = {MemorySegment.class, int.class, int.class})
          MethodHandle attributesSetScales,
      @NativeSignature(
              name = "dnnl_primitive_attr_destroy",
              arguments = {MemorySegment.class})
          MethodHandle attributesDestroy,
      @NativeSignature(
              name = "dnnl_post_ops_create",
              arguments = {MemorySegment.class})
          MethodHandle postOpsCreate,
      @NativeSignature(
              name = "dnnl_post_ops_append_eltwise",
              arguments = {MemorySegment.class, int.class, float.class, float.class})
          MethodHandle postOpsAppendEltwise,
      @NativeSignature(
              name = "dnnl_post_ops_append_binary",
              arguments = {MemorySegment.class, int.class, MemorySegment.class})
          MethodHandle postOpsAppendBinary,
      @NativeSignature(
              name = "dnnl_post_ops_append_sum",
              arguments = {MemorySegment.class, float.class, int.class, int.class})
          MethodHandle postOpsAppendSum,
      @NativeSignature(
              name = "dnnl_post_ops_destroy",
              arguments = {MemorySegment.class})
          MethodHandle postOpsDestroy,
      @NativeSignature(
              name = "dnnl_matmul_primitive_desc_create",
              arguments = {
                MemorySegment.class,
                MemorySegment.class,
                MemorySegment.class,
                MemorySegment.class,
                MemorySegment.class,
                MemorySegment.class,
                MemorySegment.class
              })
          MethodHandle matmul,
      @NativeSignature(
              name = "dnnl_layer_normalization_forward_primitive_desc_create",
              arguments = {
                MemorySegment.class,
                MemorySegment.class,
                int.class,
                MemorySegment.class,
                MemorySegment.class,
                MemorySegment.class,
                float.class,
                int.class,
                MemorySegment.class
              })
          MethodHandle layerNormalization,
      @NativeSignature(
              name = "dnnl_softmax_forward_primitive_desc_create",
              arguments = {
                MemorySegment.class,
                MemorySegment.class,
                int.class,
                int.class,
                MemorySegment.class,
                MemorySegment.class,
                int.class,
                MemorySegment.class
              })
          MethodHandle softmax,
      @NativeSignature(
              name = "dnnl_binary_primitive_desc_create",
              arguments = {
                MemorySegment.class,
                MemorySegment.class,
                int.class,
                MemorySegment.class,
                MemorySegment.class,
                MemorySegment.class,
                MemorySegment.class
              })
          MethodHandle binary,
      @NativeSignature(
              name = "dnnl_reorder_primitive_desc_create",
              arguments = {
                MemorySegment.class,
                MemorySegment.class,
                MemorySegment.class,
                MemorySegment.class,
                MemorySegment.class,
                MemorySegment.class
              })
          MethodHandle reorder,
      @NativeSignature(
              name = "dnnl_primitive_desc_query_md",
              returns = MemorySegment.class,
              arguments = {MemorySegment.class, int.class, int.class})
          MethodHandle queryDescriptor,
      @NativeSignature(
              name = "dnnl_primitive_desc_destroy",
              arguments = {MemorySegment.class})
          MethodHandle primitiveDescriptorDestroy,
      @NativeSignature(
              name = "dnnl_primitive_create",
              arguments = {MemorySegment.class, MemorySegment.class})
          MethodHandle primitiveCreate,
      @NativeSignature(
              name = "dnnl_primitive_execute",
              arguments = {
                MemorySegment.class,
                MemorySegment.class,
                int.class,
                MemorySegment.class
              })
          MethodHandle primitiveExecute,
      @NativeSignature(
              name = "dnnl_primitive_destroy",
              arguments = {MemorySegment.class})
          MethodHandle primitiveDestroy) {}

  /**
   * Checks that the library is there and is the one that this class was written for.
   *
   * @throws DeviceException saying why not
   */
  static void verifyAvailable() {
    if (FAILURE != null) {
      throw new DeviceException(FAILURE.getMessage(), FAILURE);
    }
    try {
      MemorySegment version = (MemorySegment) DNNL.version().invokeExact();
      version = version.reinterpret(2 * JAVA_INT.byteSize());
      int major = version.getAtIndex(JAVA_INT, 0);
      if (major != MAJOR_VERSION) {
        throw new DeviceException(
            "oneDNN is version %d.%d, expected %d.x"
                .formatted(major, version.getAtIndex(JAVA_INT, 1), MAJOR_VERSION));
      }
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  /** The number of threads that primitives use when the calling thread executes them. */
  static void setThreads(int threads) {
    try {
      DNNL.setThreads().invokeExact(threads);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static MemorySegment engineCreate() {
    return create("dnnl_engine_create", out -> (int) DNNL.engineCreate().invokeExact(out, CPU, 0L));
  }

  static void engineDestroy(MemorySegment engine) {
    call("dnnl_engine_destroy", () -> (int) DNNL.engineDestroy().invokeExact(engine));
  }

  static MemorySegment streamCreate(MemorySegment engine) {
    return create(
        "dnnl_stream_create", out -> (int) DNNL.streamCreate().invokeExact(out, engine, IN_ORDER));
  }

  static void streamWait(MemorySegment stream) {
    call("dnnl_stream_wait", () -> (int) DNNL.streamWait().invokeExact(stream));
  }

  static void streamDestroy(MemorySegment stream) {
    call("dnnl_stream_destroy", () -> (int) DNNL.streamDestroy().invokeExact(stream));
  }

  static MemorySegment descriptor(DataType type, long[] dimensions, long[] strides) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sizes = arena.allocateFrom(JAVA_LONG, dimensions);
      MemorySegment steps = arena.allocateFrom(JAVA_LONG, strides);
      return create(
          "dnnl_memory_desc_create_with_strides",
          out ->
              (int)
                  DNNL.descriptorWithStrides()
                      .invokeExact(out, dimensions.length, sizes, type.code(), steps));
    }
  }

  /** A descriptor that leaves the layout to the primitive it is used with. */
  static MemorySegment anyDescriptor(DataType type, long[] dimensions) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sizes = arena.allocateFrom(JAVA_LONG, dimensions);
      return create(
          "dnnl_memory_desc_create_with_tag",
          out ->
              (int)
                  DNNL.descriptorWithTag()
                      .invokeExact(out, dimensions.length, sizes, type.code(), FORMAT_ANY));
    }
  }

  static MemorySegment descriptorClone(MemorySegment descriptor) {
    return create(
        "dnnl_memory_desc_clone", out -> (int) DNNL.descriptorClone().invokeExact(out, descriptor));
  }

  static long descriptorSize(MemorySegment descriptor) {
    try {
      return (long) DNNL.descriptorSize().invokeExact(descriptor);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static void descriptorDestroy(MemorySegment descriptor) {
    call("dnnl_memory_desc_destroy", () -> (int) DNNL.descriptorDestroy().invokeExact(descriptor));
  }

  /** A memory object without data. */
  static MemorySegment memoryCreate(MemorySegment descriptor, MemorySegment engine) {
    return create(
        "dnnl_memory_create",
        out -> (int) DNNL.memoryCreate().invokeExact(out, descriptor, engine, MemorySegment.NULL));
  }

  static void memorySetData(MemorySegment memory, long address) {
    int status;
    try {
      status = (int) DNNL.memorySetData().invokeExact(memory, address);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
    check("dnnl_memory_set_data_handle", status);
  }

  static void memoryDestroy(MemorySegment memory) {
    call("dnnl_memory_destroy", () -> (int) DNNL.memoryDestroy().invokeExact(memory));
  }

  /** Attributes of all our primitives: our scratchpad, and no arithmetic below fp32's. */
  static MemorySegment attributesCreate() {
    MemorySegment attributes =
        create("dnnl_primitive_attr_create", out -> (int) DNNL.attributesCreate().invokeExact(out));
    call(
        "dnnl_primitive_attr_set_scratchpad_mode",
        () -> (int) DNNL.attributesSetScratchpad().invokeExact(attributes, SCRATCHPAD_USER));
    call(
        "dnnl_primitive_attr_set_fpmath_mode",
        () -> (int) DNNL.attributesSetFpMath().invokeExact(attributes, FPMATH_STRICT));
    return attributes;
  }

  static void attributesSetPostOps(MemorySegment attributes, MemorySegment postOps) {
    call(
        "dnnl_primitive_attr_set_post_ops",
        () -> (int) DNNL.attributesSetPostOps().invokeExact(attributes, postOps));
  }

  /** An argument is multiplied by scales, one for each index of the dimensions in the mask. */
  static void attributesSetScales(MemorySegment attributes, int argument, int mask) {
    call(
        "dnnl_primitive_attr_set_scales_mask",
        () -> (int) DNNL.attributesSetScales().invokeExact(attributes, argument, mask));
  }

  static void attributesDestroy(MemorySegment attributes) {
    call(
        "dnnl_primitive_attr_destroy",
        () -> (int) DNNL.attributesDestroy().invokeExact(attributes));
  }

  static MemorySegment postOpsCreate() {
    return create("dnnl_post_ops_create", out -> (int) DNNL.postOpsCreate().invokeExact(out));
  }

  static void postOpsAppendEltwise(MemorySegment postOps, int algorithm, float alpha) {
    call(
        "dnnl_post_ops_append_eltwise",
        () -> (int) DNNL.postOpsAppendEltwise().invokeExact(postOps, algorithm, alpha, 0f));
  }

  static void postOpsAppendBinary(MemorySegment postOps, int algorithm, MemorySegment descriptor) {
    call(
        "dnnl_post_ops_append_binary",
        () -> (int) DNNL.postOpsAppendBinary().invokeExact(postOps, algorithm, descriptor));
  }

  static void postOpsAppendSum(MemorySegment postOps) {
    call(
        "dnnl_post_ops_append_sum",
        () -> (int) DNNL.postOpsAppendSum().invokeExact(postOps, 1f, 0, 0));
  }

  static void postOpsDestroy(MemorySegment postOps) {
    call("dnnl_post_ops_destroy", () -> (int) DNNL.postOpsDestroy().invokeExact(postOps));
  }

  /** The argument that carries the operand of a binary post-op. */
  static int postOpArgument(int index) {
    return ARG_POST_OP * (index + 1) | ARG_SRC_1;
  }

  /** A matrix product; {@code bias} may be {@link MemorySegment#NULL}. */
  static MemorySegment matmul(
      MemorySegment engine,
      MemorySegment source,
      MemorySegment weights,
      MemorySegment bias,
      MemorySegment destination,
      MemorySegment attributes) {
    return create(
        "dnnl_matmul_primitive_desc_create",
        out ->
            (int)
                DNNL.matmul()
                    .invokeExact(out, engine, source, weights, bias, destination, attributes));
  }

  static MemorySegment layerNormalization(
      MemorySegment engine,
      MemorySegment rows,
      MemorySegment destination,
      float epsilon,
      int flags,
      MemorySegment attributes) {
    return create(
        "dnnl_layer_normalization_forward_primitive_desc_create",
        out ->
            (int)
                DNNL.layerNormalization()
                    .invokeExact(
                        out,
                        engine,
                        FORWARD_INFERENCE,
                        rows,
                        destination,
                        MemorySegment.NULL,
                        epsilon,
                        flags,
                        attributes));
  }

  static MemorySegment softmax(
      MemorySegment engine,
      MemorySegment rows,
      MemorySegment destination,
      int axis,
      MemorySegment attributes) {
    return create(
        "dnnl_softmax_forward_primitive_desc_create",
        out ->
            (int)
                DNNL.softmax()
                    .invokeExact(
                        out,
                        engine,
                        FORWARD_INFERENCE,
                        SOFTMAX_ACCURATE,
                        rows,
                        destination,
                        axis,
                        attributes));
  }

  static MemorySegment binary(
      MemorySegment engine,
      int algorithm,
      MemorySegment first,
      MemorySegment second,
      MemorySegment destination,
      MemorySegment attributes) {
    return create(
        "dnnl_binary_primitive_desc_create",
        out ->
            (int)
                DNNL.binary()
                    .invokeExact(out, engine, algorithm, first, second, destination, attributes));
  }

  static MemorySegment reorder(
      MemorySegment engine,
      MemorySegment source,
      MemorySegment destination,
      MemorySegment attributes) {
    return create(
        "dnnl_reorder_primitive_desc_create",
        out ->
            (int) DNNL.reorder().invokeExact(out, source, engine, destination, engine, attributes));
  }

  /** A layout that a primitive has chosen; it lives as long as the primitive descriptor. */
  static MemorySegment queryDescriptor(MemorySegment primitiveDescriptor, int what) {
    try {
      return (MemorySegment) DNNL.queryDescriptor().invokeExact(primitiveDescriptor, what, 0);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  static void primitiveDescriptorDestroy(MemorySegment primitiveDescriptor) {
    call(
        "dnnl_primitive_desc_destroy",
        () -> (int) DNNL.primitiveDescriptorDestroy().invokeExact(primitiveDescriptor));
  }

  static MemorySegment primitiveCreate(MemorySegment primitiveDescriptor) {
    return create(
        "dnnl_primitive_create",
        out -> (int) DNNL.primitiveCreate().invokeExact(out, primitiveDescriptor));
  }

  /**
   * Runs a primitive.
   *
   * @param arguments {@code count} structures of {@code dnnl_exec_arg_t}
   */
  static void primitiveExecute(
      MemorySegment primitive, MemorySegment stream, int count, MemorySegment arguments) {
    int status;
    try {
      status = (int) DNNL.primitiveExecute().invokeExact(primitive, stream, count, arguments);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
    check("dnnl_primitive_execute", status);
  }

  static void primitiveDestroy(MemorySegment primitive) {
    call("dnnl_primitive_destroy", () -> (int) DNNL.primitiveDestroy().invokeExact(primitive));
  }

  @FunctionalInterface
  private interface Creation {
    int into(MemorySegment out) throws Throwable;
  }

  @FunctionalInterface
  private interface Call {
    int status() throws Throwable;
  }

  /** Calls a function that writes a pointer, and gives the pointer. */
  private static MemorySegment create(String function, Creation creation) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ADDRESS);
      check(function, creation.into(out));
      return out.get(ADDRESS, 0);
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  private static void call(String function, Call call) {
    try {
      check(function, call.status());
    } catch (Throwable t) {
      throw NativeFunctions.failure(t);
    }
  }

  /** What a method handle can throw, which declares all: nothing that is checked. */
  private static void check(String function, int status) {
    if (status != 0) {
      throw new DeviceException(
          "oneDNN: %s failed with status %d, %s".formatted(function, status, meaning(status)));
    }
  }

  /** {@code dnnl_status_t} in words. */
  static String meaning(int status) {
    return switch (status) {
      case 1 -> "out of memory";
      case 2 -> "invalid arguments";
      case 3 -> "not implemented for these arguments on this processor";
      case 4 -> "no further implementation";
      case 5 -> "the primitive or the engine failed while it ran";
      case 6 -> "the queried element is not required";
      case 7, 8 -> "invalid graph";
      case 9 -> "the shape cannot be inferred";
      case 10 -> "the data type cannot be inferred";
      default -> "unknown";
    };
  }
}
