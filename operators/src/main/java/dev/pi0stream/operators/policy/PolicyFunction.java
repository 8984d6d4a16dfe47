package dev.pi0stream.operators.policy;

import dev.pi0stream.model.checkpoint.CheckpointException;
import dev.pi0stream.model.engine.PolicyEngine;
import dev.pi0stream.model.engine.PolicyOutcome;
import dev.pi0stream.model.engine.PolicyRequest;
import dev.pi0stream.model.processor.Observation;
import dev.pi0stream.operators.outcome.Outcome;
import dev.pi0stream.operators.resource.DeviceInfo;
import dev.pi0stream.operators.session.ResolvedObservation;
import dev.pi0stream.operators.source.SourcePosition;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.streaming.api.functions.async.ResultFuture;
import org.apache.flink.streaming.api.functions.async.RichAsyncFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the engine of its device. Flink keeps what is in flight in its checkpoints and asks again
 * after a recovery; as the engine is resident and noise comes from the observation's identity, the
 * answer is the same.
 *
 * <p>The model itself follows LeRobot, which cuts long prompts and takes cameras that it does not
 * know for missing; on a robot these are mistakes. So the policy is asked first what it refuses,
 * and what it refuses or cannot read is rejected. A fault of the device fails the task, so that the
 * job restarts and nothing is lost. What has no answer within the timeout ends as expired: for its
 * robot the moment is gone, and a queue that holds it for ever would stop all others.
 */
public final class PolicyFunction extends RichAsyncFunction<ResolvedObservation, Outcome> {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(PolicyFunction.class);
  private static final DeviceBindings BINDINGS = new DeviceBindings();

  private final EngineSpec spec;
  private final PolicyLoader loader;
  private final Duration timeout;

  private transient Runnable unbind;
  private transient ResidentEngine resident;
  private transient PolicyEngine engine;
  private transient PolicyMetrics metrics;
  private transient Map<SourcePosition, CompletableFuture<PolicyOutcome>> inFlight;

  /**
   * @param loader loads the policy where this TaskManager does not hold it yet
   * @param timeout the same that the operator has
   */
  public PolicyFunction(EngineSpec spec, PolicyLoader loader, Duration timeout) {
    this.spec = spec;
    this.loader = loader;
    this.timeout = timeout;
  }

  @Override
  public void open(OpenContext context) throws Exception {
    DevicePool pool = DevicePool.ofTaskManager();
    ClassLoader job = getRuntimeContext().getUserCodeClassLoader();
    int subtask = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
    EngineSpec here = spec.on(BINDINGS.acquire(job, subtask, devices()));
    unbind = () -> BINDINGS.release(job, subtask);
    // Not in close(): between two attempts of a task nobody would hold the engine.
    getRuntimeContext()
        .registerUserCodeClassLoaderReleaseHookIfAbsent(
            "pi0-engine " + here, new EngineRelease(pool, here, job));
    try {
      resident = pool.acquire(here, loader, job);
    } catch (IllegalArgumentException | CheckpointException e) {
      throw new SuppressRestartsException(e);
    }
    engine = resident.engine();
    inFlight = new ConcurrentHashMap<>();
    MetricGroup group = getRuntimeContext().getMetricGroup();
    metrics = new PolicyMetrics(group, pool, inFlight::size);
    if (resident.beginShowing(this)) {
      EngineMetrics.show(group, here.device(), resident);
    }
  }

  /**
   * The devices of this TaskManager: those that Flink's external resource of the back end's name
   * has, or else those of the specification.
   */
  private List<String> devices() {
    String backEnd = spec.device().replaceFirst("[:,].*", "");
    List<String> resources =
        getRuntimeContext().getExternalResourceInfos(backEnd).stream()
            .sorted(
                Comparator.comparingInt(
                    info -> Integer.parseInt(info.getProperty(DeviceInfo.INDEX).orElse("0"))))
            .map(info -> info.getProperty(DeviceInfo.DEVICE).orElse(backEnd))
            .toList();
    return resources.isEmpty() ? spec.devices() : resources;
  }

  @Override
  public void asyncInvoke(ResolvedObservation input, ResultFuture<Outcome> result) {
    Observation observation = new Observation(input.frames(), input.state(), input.prompt());
    Optional<String> refusal = refusal(observation);
    if (refusal.isPresent()) {
      result.complete(List.of(PolicyAnswer.refused(input, refusal.get(), Instant.now())));
      return;
    }
    CompletableFuture<PolicyOutcome> answer =
        engine.submit(
            new PolicyRequest(input.id(), observation, input.deadline(), input.execution()));
    inFlight.put(input.source(), answer);
    var _ =
        answer
            .thenApply(outcome -> outcome(input, outcome))
            .whenComplete(
                (outcome, fault) -> {
                  inFlight.remove(input.source(), answer);
                  if (fault == null) {
                    result.complete(List.of(outcome));
                  } else if (!answer.isCancelled()) {
                    result.completeExceptionally(
                        fault instanceof CompletionException ? fault.getCause() : fault);
                  }
                });
  }

  private Optional<String> refusal(Observation observation) {
    try {
      return engine.policy().refusal(observation);
    } catch (RuntimeException e) {
      // Not foreseen, but one observation's matter: it would fail every attempt of the task.
      LOG.warn("an observation cannot be checked", e);
      return Optional.of("the observation cannot be checked: " + e);
    }
  }

  @Override
  public void timeout(ResolvedObservation input, ResultFuture<Outcome> result) {
    CompletableFuture<PolicyOutcome> answer = inFlight.remove(input.source());
    if (answer != null) {
      answer.cancel(false);
    }
    result.complete(List.of(PolicyAnswer.timedOut(input, timeout, Instant.now())));
  }

  /** Withdraws what waits: after a restart it is asked again. */
  @Override
  public void close() {
    if (inFlight != null) {
      inFlight.values().forEach(answer -> answer.cancel(false));
    }
    if (resident != null) {
      resident.endShowing(this);
    }
    if (unbind != null) {
      unbind.run();
    }
  }

  private Outcome outcome(ResolvedObservation input, PolicyOutcome outcome) {
    if (outcome instanceof PolicyOutcome.Chunk chunk) {
      metrics.served(chunk.timing());
    }
    return PolicyAnswer.of(input, outcome, engine.policy(), Instant.now());
  }

  /** Lets go of the engine when the job leaves the TaskManager. */
  private record EngineRelease(DevicePool pool, EngineSpec spec, ClassLoader job)
      implements Runnable {
    @Override
    public void run() {
      pool.release(spec, job);
      BINDINGS.forget(job);
    }
  }
}
