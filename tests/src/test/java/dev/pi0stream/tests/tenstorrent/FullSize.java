package dev.pi0stream.tests.tenstorrent;

import dev.pi0stream.device.Device;
import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.KeyValues;
import dev.pi0stream.device.Precision;
import dev.pi0stream.device.Scope;
import dev.pi0stream.device.tt.TtDevice;
import dev.pi0stream.device.tt.ttnn.Memory;
import dev.pi0stream.device.tt.ttnn.MeshDevice;
import dev.pi0stream.device.tt.ttnn.Traffic;
import dev.pi0stream.job.bench.MadeUpBatch;
import dev.pi0stream.model.checkpoint.RandomWeights;
import dev.pi0stream.model.policy.ModelInput;
import dev.pi0stream.model.policy.Policy;
import dev.pi0stream.model.policy.Sample;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * A policy of the published size on a mock board: what it takes, and which operations a chunk is.
 * Prints a table; fails where a chunk after the second one compiles a program or leaves memory
 * allocated.
 */
final class FullSize {
  private static final int STEPS = 10;
  private static final int WARM_UP = 2;
  private static final double MEGABYTE = 1e6;

  private final TtDevice device;
  private final MeshDevice chip;
  private final Policy policy;

  private FullSize(TtDevice device, Policy policy) {
    this.device = device;
    this.chip = device.chip();
    this.policy = policy;
  }

  /**
   * Runs.
   *
   * @param arguments board, size, greatest batch
   */
  public static void main(String[] arguments) {
    Locale.setDefault(Locale.ROOT);
    RandomWeights.Size size = RandomWeights.Size.valueOf(arguments[1].toUpperCase(Locale.ROOT));
    int greatest = Integer.parseInt(arguments[2]);
    try (TtDevice device = MockChips.open(arguments[0], MockChips.TTNN, Precision.BFP8);
        RandomWeights weights = RandomWeights.of(size, 3, 1);
        Policy policy = Policy.load(weights, device)) {
      System.out.printf(
          "%s %s: grid %s, DRAM %.0f MB, weights %.0f MB%n",
          arguments[0],
          arguments[1],
          device.chip().grid(),
          device.chip().memory(Memory.DRAM).totalBytes() / MEGABYTE,
          device.chip().memory(Memory.DRAM).allocatedBytes() / MEGABYTE);
      FullSize measured = new FullSize(device, policy);
      for (int batch : new int[] {1, 4, 16}) {
        for (int cameras = 1; cameras <= 3 && batch <= greatest; cameras++) {
          measured.measure(batch, cameras);
        }
      }
    }
  }

  private void measure(int batch, int cameras) {
    int tokens = policy.config().maxTokens();
    List<Sample> all = MadeUpBatch.of(policy, cameras, tokens, 2 * batch);
    List<Sample> samples = all.subList(0, batch);
    try {
      // Outside of a scope it makes what all chunks share.
      policy.sample(samples, STEPS);
      for (int i = 1; i < WARM_UP; i++) {
        chunk(samples, false);
      }
    } catch (DeviceException e) {
      System.out.printf("batch %d, cameras %d: %s%n", batch, cameras, e.getMessage());
      return;
    }
    long programs = chip.programs();
    long allocated = chip.memory(Memory.DRAM).allocatedBytes();
    int tensors = chip.tensors();
    chip.allowNewPrograms(false);
    chunk(all.subList(batch, 2 * batch), true);
    chip.allowNewPrograms(true);
    System.out.printf(
        "batch %d, cameras %d: DRAM in use %.0f MB, programs %d, tensors %d%n",
        batch, cameras, allocated / MEGABYTE, programs, chip.tensors());
    check(chip.programs() == programs, "a program was compiled");
    check(chip.memory(Memory.DRAM).allocatedBytes() == allocated, "memory stays allocated");
    check(chip.tensors() == tensors, "tensors stay allocated");
  }

  private static void check(boolean holds, String otherwise) {
    if (!holds) {
      throw new AssertionError(otherwise);
    }
  }

  private void chunk(List<Sample> samples, boolean report) {
    try (Scope _ = device.scope()) {
      Traffic begun = chip.traffic();
      long start = System.nanoTime();
      List<ModelInput.Image> images =
          samples.stream().flatMap(sample -> sample.input().images().stream()).toList();
      List<Device.Rows> seen = policy.see(images);
      Traffic saw = chip.traffic();
      List<Policy.PrefixInput> robots = new ArrayList<>();
      int cameras = images.size() / samples.size();
      for (int i = 0; i < samples.size(); i++) {
        List<Device.Rows> own = seen.subList(i * cameras, (i + 1) * cameras);
        robots.add(new Policy.PrefixInput(own, samples.get(i).input().tokens()));
      }
      KeyValues prefix = policy.prefix(robots);
      Traffic read = chip.traffic();
      List<Device.Part> parts =
          IntStream.range(0, samples.size()).mapToObj(i -> new Device.Part(prefix, i)).toList();
      policy.denoise(parts, samples, STEPS);
      Traffic done = chip.traffic();
      if (report) {
        report("vision", saw.since(begun));
        report("prefix", read.since(saw));
        report("denoise", done.since(read));
        report("chunk", done.since(begun));
        System.out.printf(
            "  host %.0f ms for all operations, one by one; prefix %.1f MB a robot%n",
            (System.nanoTime() - start) / MEGABYTE, prefix.bytes() / MEGABYTE / samples.size());
      }
    }
  }

  private static void report(String stage, Traffic traffic) {
    System.out.printf(
        "  %-8s %5d operations, %6d calls, %2d uploads of %.3f MB, %d downloads%n",
        stage,
        traffic.operationCount(),
        traffic.calls(),
        traffic.uploads(),
        traffic.uploadedBytes() / MEGABYTE,
        traffic.downloads());
  }
}
