package dev.pi0stream.job.residency;

import dev.pi0stream.device.Device;
import dev.pi0stream.job.bench.MadeUpBatch;
import dev.pi0stream.model.checkpoint.PolicyWeights;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Where the work of a chunk is done.
 *
 * @param weights what they are called
 * @param modules what the device computes, in the order in which it first does
 * @param transfers what moves between host and device
 * @param host what the host does, before and after
 */
public record Residency(
    String weights,
    String device,
    String precision,
    int cameras,
    int tokens,
    int batch,
    int steps,
    List<Module> modules,
    List<Move> transfers,
    List<HostWork> host) {

  /**
   * What one module of the policy does in a chunk.
   *
   * @param name as published, with {@code *} for the number of a layer; or an operation without
   *     weights
   * @param where always {@code device}: a back end has no other place to compute in
   * @param calls of the operation
   * @param gigaflops multiplications and additions, 10⁹
   * @param megabytes read and written, 10⁶
   */
  public record Module(
      String stage,
      String name,
      String operation,
      String where,
      int calls,
      double gigaflops,
      double megabytes) {}

  /**
   * What moves in a chunk.
   *
   * @param direction {@code to device} or {@code to host}
   */
  public record Move(String stage, String what, String direction, int count, long bytes) {}

  /** What the host does for each robot; see {@code Processor} and {@code IdentityNoise}. */
  public record HostWork(String what, String where) {}

  private static final List<HostWork> HOST =
      List.of(
          new HostWork("decode, resize and pad the cameras' frames", "host"),
          new HostWork("normalise the state, write and tokenise the prompt", "host"),
          new HostWork("draw the noise of the observation's identity", "host"),
          new HostWork("unnormalise the actions", "host"));

  /** Computes a chunk for a made-up batch, the second one, and says where. */
  public static Residency of(
      String name, PolicyWeights weights, Device device, int cameras, int tokens, int batch) {
    MeteredDevice metered = new MeteredDevice(device);
    int steps = weights.config().inferenceSteps();
    try (Policy policy = Policy.load(weights, metered.device())) {
      List<Sample> samples = MadeUpBatch.of(policy, cameras, tokens, batch);
      policy.sample(samples, steps); // makes the constants of the steps
      metered.reset();
      policy.sample(samples, steps);
    }
    return new Residency(
        name,
        device.name(),
        device.precision().label(),
        cameras,
        tokens,
        batch,
        steps,
        modules(metered.operations()),
        moves(metered.transfers()),
        HOST);
  }

  private static List<Module> modules(List<MeteredDevice.Operation> operations) {
    return grouped(
        operations,
        operation -> List.of(operation.stage(), operation.module(), operation.operation()),
        group -> {
          MeteredDevice.Operation first = group.getFirst();
          return new Module(
              first.stage(),
              first.module(),
              first.operation(),
              "device",
              group.size(),
              group.stream().mapToDouble(MeteredDevice.Operation::flops).sum() / 1e9,
              group.stream().mapToLong(MeteredDevice.Operation::bytes).sum() / 1e6);
        });
  }

  private static List<Move> moves(List<MeteredDevice.Transfer> transfers) {
    return grouped(
        transfers,
        transfer -> List.of(transfer.stage(), transfer.what(), transfer.toDevice()),
        group -> {
          MeteredDevice.Transfer first = group.getFirst();
          return new Move(
              first.stage(),
              first.what(),
              first.toDevice() ? "to device" : "to host",
              group.size(),
              group.stream().mapToLong(MeteredDevice.Transfer::bytes).sum());
        });
  }

  private static <T, R> List<R> grouped(
      Collection<T> all, Function<T, Object> key, Function<List<T>, R> sum) {
    Map<Object, List<T>> groups = new LinkedHashMap<>();
    all.forEach(one -> groups.computeIfAbsent(key.apply(one), _ -> new ArrayList<>()).add(one));
    return groups.values().stream().map(sum).toList();
  }
}
