package dev.pi0stream.job.residency;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.DeviceResource;
import dev.pi0stream.device.Embedding;
import dev.pi0stream.device.Epilogue;
import dev.pi0stream.device.GatedLinear;
import dev.pi0stream.device.Heads;
import dev.pi0stream.device.Images;
import dev.pi0stream.device.Indices;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Linear;
import dev.pi0stream.device.Mask;
import dev.pi0stream.device.Parameter;
import dev.pi0stream.device.Sequences;
import dev.pi0stream.device.Tensor;
import dev.pi0stream.device.Weight;
import dev.pi0stream.job.watch.WatchedDevice;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.stream.Stream;

/**
 * A device that notes what it is asked to compute: which operation, for which module of the policy,
 * with how many arithmetic operations, and how many bytes it reads and writes. Everything passes
 * through.
 */
public final class MeteredDevice {
  /**
   * One operation.
   *
   * @param stage it belongs to: {@code vision}, {@code prefix}, {@code denoise}
   * @param module the published name of its weights, with {@code *} for the number of a layer; or
   *     the operation's name where it has no weights
   * @param operation its name in {@link Device}
   * @param flops multiplications and additions of products and attention; of anything else one for
   *     each number of the result
   * @param bytes of its arguments, weights among them, and of its result, as the device holds them
   */
  public record Operation(
      String stage, String module, String operation, double flops, long bytes) {}

  /**
   * Numbers that went over to the device or came back.
   *
   * @param what was moved: {@code images}, {@code indices} …
   * @param toDevice or back
   * @param bytes as the host has them
   */
  public record Transfer(String stage, String what, boolean toDevice, long bytes) {}

  private final Device device;
  private final IdentityHashMap<Weight, String> modules = new IdentityHashMap<>();
  private final List<Operation> operations = new ArrayList<>();
  private final List<Transfer> transfers = new ArrayList<>();
  private String stage = "";

  /** Watches a device, which the caller closes. */
  public MeteredDevice(Device metered) {
    device = WatchedDevice.of(metered, this::note);
  }

  /** The device to load and run a policy on. */
  public Device device() {
    return device;
  }

  /** Forgets what was computed and moved, not what the weights are. */
  public void reset() {
    operations.clear();
    transfers.clear();
  }

  /** What was computed since the last reset, in order. */
  public List<Operation> operations() {
    return List.copyOf(operations);
  }

  /** What was moved since the last reset, in order. */
  public List<Transfer> transfers() {
    return List.copyOf(transfers);
  }

  private void note(Method method, Object[] arguments, Object result) {
    String name = method.getName();
    if (result instanceof Weight weight) {
      modules.put(weight, module(name, arguments));
      return;
    }
    switch (name) {
      case "stage" -> stage = (String) arguments[0];
      case "upload", "images" ->
          transfers.add(
              new Transfer(
                  stage, name, true, Float.BYTES * (long) ((float[]) arguments[0]).length));
      case "indices" ->
          transfers.add(
              new Transfer(
                  stage, name, true, Integer.BYTES * (long) ((int[]) arguments[0]).length));
      case "rotation" ->
          transfers.add(
              new Transfer(
                  stage, name, true, Integer.BYTES * (long) ((int[]) arguments[0]).length));
      case "download" -> {
        if (result instanceof float[] values) {
          transfers.add(new Transfer(stage, name, false, Float.BYTES * (long) values.length));
        }
      }
      default -> compute(name, arguments, result);
    }
  }

  private void compute(String name, Object[] arguments, Object result) {
    Object computed = name.equals("store") ? arguments[2] : result;
    boolean isOperation = computed instanceof Tensor || name.equals("store") || name.equals("join");
    if (!isOperation) {
      return;
    }
    String module = name;
    for (Object argument : arguments) {
      if (argument instanceof Weight weight) {
        module = modules.getOrDefault(weight, name);
      }
    }
    operations.add(
        new Operation(
            stage, module, name, flops(name, arguments, computed), bytes(name, arguments, result)));
  }

  private static double flops(String name, Object[] arguments, Object result) {
    if (arguments[0] instanceof Tensor x && arguments.length > 1) {
      switch (arguments[1]) {
        case Linear linear -> {
          return 2.0 * x.rows() * linear.inputs() * linear.outputs();
        }
        case GatedLinear gated -> {
          return 4.0 * x.rows() * gated.inputs() * gated.outputs();
        }
        case Heads heads when name.equals("attention") -> {
          return 4.0 * attended((Mask) arguments[2]) * heads.queryColumns();
        }
        default -> {}
      }
    }
    return result instanceof Tensor tensor && !name.equals("rows") && !name.equals("embed")
        ? (double) tensor.rows() * tensor.columns()
        : 0;
  }

  /** Pairs of rows of which one attends the other. */
  private static double attended(Mask mask) {
    Sequences own = mask.sequences();
    double pairs = 0;
    for (int i = 0; i < own.count(); i++) {
      pairs += (double) own.length(i) * (own.length(i) + mask.context().length(i));
    }
    return pairs;
  }

  private static long bytes(String name, Object[] arguments, Object result) {
    Stream<Object> read = Stream.of(arguments).flatMap(MeteredDevice::resources);
    Stream<Object> written = result == null ? Stream.of() : Stream.of(result);
    return Stream.concat(read, written).mapToLong(resource -> bytes(name, resource, result)).sum();
  }

  private static long bytes(String name, Object resource, Object result) {
    return switch (resource) {
      // What is looked up is read, not the whole table.
      case Embedding _ -> ((DeviceResource) result).bytes();
      // One layer of all is attended or stored.
      case KeyValues all when !name.equals("join") -> all.bytes() / all.layers();
      case DeviceResource held -> held.bytes();
      default -> 0;
    };
  }

  private static Stream<Object> resources(Object argument) {
    return switch (argument) {
      case Epilogue epilogue ->
          Stream.of(epilogue.shift(), epilogue.residual(), epilogue.gate())
              .flatMap(Stream::ofNullable)
              .map(Object.class::cast);
      case Device.Rows rows -> Stream.of(rows.tensor());
      case Device.Part part -> Stream.of(part.source());
      case List<?> list -> list.stream().flatMap(MeteredDevice::resources);
      case DeviceResource resource -> Stream.of(resource);
      case Images images -> Stream.of(images);
      case Indices indices -> Stream.of(indices);
      case null, default -> Stream.of();
    };
  }

  /** The name of the module that some weights are of. */
  private static String module(String operation, Object[] arguments) {
    List<Parameter> weights =
        Stream.of(arguments)
            .filter(Parameter.class::isInstance)
            .map(Parameter.class::cast)
            .toList();
    if (weights.isEmpty()) {
      return operation; // an adaptive norm, whose factor is made of the condition
    }
    String first = published(weights.getFirst().name());
    int parent = first.lastIndexOf('.') + 1;
    return switch (operation) {
      case "projection" -> first.substring(0, parent) + (weights.size() == 2 ? "kv" : "qkv");
      case "gatedLinear" -> first.substring(0, parent) + "gate_up";
      default -> first;
    };
  }

  /** A parameter's published name without what all share, and with {@code *} for a layer. */
  private static String published(String name) {
    return name.replaceFirst(
            "^(model\\.)?(paligemma_with_expert\\.)?(paligemma\\.(model\\.)?)?", "")
        .replaceFirst("\\[.*", "")
        .replaceFirst("\\.(weight|bias)$", "")
        .replaceAll("\\.[0-9]+\\.", ".*.");
  }
}
