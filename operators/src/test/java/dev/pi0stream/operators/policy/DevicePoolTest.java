package dev.pi0stream.operators.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pi0stream.model.engine.ObservationId;
import dev.pi0stream.model.engine.PolicyOutcome;
import dev.pi0stream.model.engine.PolicyRequest;
import dev.pi0stream.model.processor.Observation;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DevicePoolTest {
  private final DevicePool pool = new DevicePool();
  private final Object job = new Object();

  @Test
  void anEngineIsLoadedOnceForAllTasksOfAJob() throws Exception {
    EngineSpec spec = spec("once");
    try (ExecutorService tasks = Executors.newFixedThreadPool(8)) {
      var engines =
          IntStream.range(0, 8)
              .mapToObj(_ -> tasks.submit(() -> pool.acquire(spec, FakePolicy::load, job)))
              .toList();
      ResidentEngine first = engines.getFirst().get();
      for (Future<ResidentEngine> engine : engines) {
        assertThat(engine.get()).isSameAs(first);
      }
    }
    assertThat(FakePolicy.of(spec).loads()).isEqualTo(1);
    assertThat(pool.loads()).isEqualTo(1);
    pool.release(spec, job);
  }

  @Test
  void theLastHolderClosesIt() throws Exception {
    EngineSpec spec = spec("last");
    Object other = new Object();
    ResidentEngine engine = pool.acquire(spec, FakePolicy::load, job);
    assertThat(pool.acquire(spec, FakePolicy::load, other)).isSameAs(engine);
    pool.release(spec, job);
    pool.release(spec, job);
    assertThat(FakePolicy.of(spec).closes()).isZero();
    assertThat(engine.engine().hasEnded()).isFalse();
    pool.release(spec, other);
    assertThat(FakePolicy.of(spec).closes()).isEqualTo(1);
    assertThat(engine.engine().hasEnded()).isTrue();
  }

  @Test
  void differentPrecisionsAreDifferentEngines() throws Exception {
    EngineSpec one = new EngineSpec("precisions", "fake", "fp32", 4);
    EngineSpec other = new EngineSpec("precisions", "fake", "bf16", 4);
    assertThat(pool.acquire(one, FakePolicy::load, job))
        .isNotSameAs(pool.acquire(other, FakePolicy::load, job));
    pool.release(one, job);
    pool.release(other, job);
  }

  @Test
  void anEngineWhoseDeviceFailedIsLoadedAnew() throws Exception {
    EngineSpec spec = spec("failed");
    ResidentEngine engine = pool.acquire(spec, FakePolicy::load, job);
    assertThatThrownBy(() -> engine.engine().submit(request("fault")).get())
        .hasMessageContaining("the device is on fire");
    ResidentEngine next = pool.acquire(spec, FakePolicy::load, job);
    assertThat(next).isNotSameAs(engine);
    assertThat(next.engine().hasEnded()).isFalse();
    assertThat(FakePolicy.of(spec).loads()).isEqualTo(2);
    assertThat(FakePolicy.of(spec).closes()).isEqualTo(1);
    pool.release(spec, job);
    assertThat(FakePolicy.of(spec).closes()).isEqualTo(2);
  }

  @Test
  void aDeviceThatHangsIsGivenUpWithASentenceAndOpenedAnew() throws Exception {
    EngineSpec spec =
        new EngineSpec("hangs", "fake", "fp32", 4, 0L, Duration.ZERO, Duration.ofMillis(200));
    ResidentEngine engine = pool.acquire(spec, FakePolicy::load, job);
    assertThat(engine.engine().submit(request("lift")).get())
        .isInstanceOf(PolicyOutcome.Chunk.class);
    assertThatThrownBy(() -> engine.engine().submit(request("stall")).get())
        .hasMessageContaining("the device hangs: a batch of 1 has not ended within 0.2 s");
    ResidentEngine next = pool.acquire(spec, FakePolicy::load, job);
    assertThat(next).isNotSameAs(engine);
    assertThat(next.engine().submit(request("lift")).get()).isInstanceOf(PolicyOutcome.Chunk.class);
    assertThat(FakePolicy.of(spec).loads()).isEqualTo(2);
    assertThat(FakePolicy.of(spec).closes()).as("the device that hung").isEqualTo(1);
    pool.release(spec, job);
  }

  @Test
  void whatCannotBeLoadedIsTriedAgainByTheNext() {
    EngineSpec spec = spec("unusable");
    assertThatThrownBy(() -> pool.acquire(spec, FakePolicy::load, job))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("has no weights");
    assertThat(pool.loads()).isZero();
    assertThatThrownBy(() -> pool.acquire(spec, FakePolicy::load, job))
        .isInstanceOf(IllegalArgumentException.class);
    pool.release(spec, job);
  }

  private static PolicyRequest request(String prompt) {
    return new PolicyRequest(
        new ObservationId("arm", "e1", 1),
        new Observation(Map.of(), new float[3], prompt),
        null,
        null);
  }

  private static EngineSpec spec(String checkpoint) {
    return new EngineSpec(checkpoint, "fake", "fp32", 4);
  }
}
