package dev.pi0stream.job.run;

import dev.pi0stream.job.configuration.Settings;
import dev.pi0stream.job.embedded.EmbeddedFlink;
import dev.pi0stream.job.embedded.EmbeddedKafka;
import dev.pi0stream.job.embedded.Topics;
import dev.pi0stream.job.graph.JobSettings;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.model.checkpoint.Checkpoint;
import dev.pi0stream.model.checkpoint.PolicyConfig;
import dev.pi0stream.model.processor.Processor;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.policy.PolicyLoader;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.common.TopicPartition;

/**
 * One run: a broker, a Flink cluster, the job, the robots, the books; or only the last two, where a
 * job runs elsewhere. Ends when its duration is over, when it is stopped, or when something fails;
 * then the robots stop, every observation gets its outcome, and the books are closed.
 */
public final class Run {
  private static final Duration JOB_START = Duration.ofMinutes(10);
  private static final Duration POLL = Duration.ofMillis(50);
  private static final Duration LAST_ANSWERS = Duration.ofSeconds(90);
  private static final Duration RECENT = Duration.ofSeconds(10);
  private static final Duration NOTICEABLE = Duration.ofMillis(500);

  private final RunSettings settings;
  private final PolicyLoader loader;
  private final PrintWriter out;
  private final boolean terminal;
  private final CountDownLatch end = new CountDownLatch(1);
  private final AtomicReference<String> failure = new AtomicReference<>();

  /**
   * A run.
   *
   * @param loader loads the policy to its device
   * @param out takes the first lines and the live figures
   * @param terminal whether a person looks at {@code out} on a terminal
   */
  public Run(RunSettings settings, PolicyLoader loader, PrintWriter out, boolean terminal) {
    this.settings = settings;
    this.loader = loader;
    this.out = out;
    this.terminal = terminal;
  }

  /** Ends the run early; it then drains as at its end. */
  public void stop() {
    end.countDown();
  }

  /**
   * Runs.
   *
   * @throws Exception one sentence when it cannot start
   */
  public RunResult execute() throws Exception {
    Asked policy = policy();
    if (settings.record().isPresent()) {
      Recorder.requireEmpty(settings.record().get());
    }
    // Refuses before anything is started: Flink's cluster may wait for itself for ever when it is
    // closed while it elects its leaders.
    try (LeRobotDataset dataset = LeRobotDataset.open(settings.robots())) {
      CameraMapping cameras =
          CameraMapping.of(
              policy.processor().cameras(),
              dataset.cameras(),
              settings.cameras(),
              policy.processor()::camera);
      requireState(policy.processor(), dataset);
      return start(policy, dataset, cameras);
    }
  }

  private RunResult start(Asked policy, LeRobotDataset dataset, CameraMapping cameras)
      throws Exception {
    if (settings.robotsOnly()) {
      KafkaSettings kafka = kafka(settings.kafka().orElseThrow());
      describe(policy.config(), dataset, cameras, kafka, "elsewhere: whoever reads this topic");
      return serve(dataset, cameras, kafka, _ -> ServingJob.ELSEWHERE);
    }
    JobSettings job = job(dataset);
    try (Background<EmbeddedKafka> broker =
            settings.kafka().isPresent()
                ? null
                : Background.open(
                    "pi0-start-kafka", () -> EmbeddedKafka.start(settings.kafkaPort()));
        Background<EmbeddedFlink> flink =
            Background.open(
                "pi0-start-flink",
                () -> EmbeddedFlink.start(settings.webPort(), job.parallelism(), metrics()))) {
      KafkaSettings kafka =
          kafka(broker == null ? settings.kafka().orElseThrow() : broker.get().bootstrapServers());
      describe(policy.config(), dataset, cameras, kafka, flink.get().webUi().toString());
      return serve(dataset, cameras, kafka, books -> submit(flink.get(), job, kafka, books));
    }
  }

  /** Starts the job, or finds it. */
  @FunctionalInterface
  private interface JobStart {
    ServingJob start(Bookkeeping books) throws Exception;
  }

  private RunResult serve(
      LeRobotDataset dataset, CameraMapping cameras, KafkaSettings kafka, JobStart starting)
      throws Exception {
    Topics.create(
        kafka.bootstrapServers(), Settings.topics(settings.configuration()), kafka.topics());
    LoggedActions logged = new LoggedActions();
    Ledger ledger = new Ledger(logged);
    try (Bookkeeping books = new Bookkeeping(kafka, ledger, this::fail);
        Recorder recorder =
            settings.record().isPresent()
                ? Recorder.fromNow(kafka, settings.record().get(), this::fail)
                : null) {
      ServingJob job = starting.start(books);
      Progress progress = new Progress(out, terminal);
      Instant start;
      Fleet fleet;
      try (ObservationTopic topic =
          new ObservationTopic(kafka.bootstrapServers(), kafka.observations(), this::fail)) {
        fleet = Fleet.of(dataset, cameras, settings.speed(), session(), new WallPace(end), topic);
        fleet.log(logged);
        awaitRunning(job);
        progress.begin();
        start = Instant.now();
        fleet.start(start, this::fail);
        watch(progress, start, fleet, ledger);
        fleet.join();
      }
      drain(books, ledger, job);
      if (recorder != null) {
        recorder.await();
      }
      progress.show(Duration.between(start, Instant.now()), fleet.size(), ledger.summary());
      progress.end();
      if (fleet.behind().compareTo(NOTICEABLE) > 0) {
        out.printf(
            "the robots were up to %d ms late at the end: decoding and sending takes this machine too long%n",
            fleet.behind().toMillis());
      }
      job.end();
      return new RunResult(
          ledger.summary(),
          Optional.ofNullable(ledger.firstRejection()),
          Optional.ofNullable(failure.get()));
    }
  }

  private Configuration metrics() {
    return settings.metricsPort() == 0
        ? new Configuration()
        : EmbeddedFlink.prometheus(settings.metricsPort());
  }

  /**
   * What the episodes' names begin with. A broker that others use must not see a name twice; with
   * one of our own, runs are alike, down to the noise that is drawn from the names.
   */
  private String session() {
    return settings.kafka().isPresent() ? UUID.randomUUID().toString().substring(0, 8) : "pass";
  }

  /** What the robots have to know of the policy; its weights are the job's business. */
  private record Asked(PolicyConfig config, Processor processor) {}

  private Asked policy() {
    try (Checkpoint checkpoint = Checkpoint.open(settings.checkpoint())) {
      return new Asked(checkpoint.config(), Processor.open(checkpoint));
    }
  }

  private void requireState(Processor policy, LeRobotDataset dataset) {
    int numbers = dataset.stateDimensions();
    if (numbers != policy.stateDimensions()) {
      throw new IllegalArgumentException(
          "the robots of %s have a state of %d numbers, but the policy in %s takes %d"
              .formatted(
                  settings.robots(), numbers, settings.checkpoint(), policy.stateDimensions()));
    }
  }

  private KafkaSettings kafka(String bootstrapServers) {
    return new KafkaSettings(
        bootstrapServers,
        settings.configuration().get(Settings.OBSERVATIONS),
        settings.configuration().get(Settings.CHUNKS),
        settings.configuration().get(Settings.OUTCOMES),
        settings.configuration().get(Settings.TELEMETRY_TOPIC),
        "pi0-run-" + UUID.randomUUID(),
        KafkaSettings.Start.COMMITTED);
  }

  private void describe(
      PolicyConfig policy,
      LeRobotDataset dataset,
      CameraMapping cameras,
      KafkaSettings kafka,
      String job) {
    out.printf(
        "policy      %s (%s), chunks of %d actions%n",
        settings.checkpoint(), policy.typeName(), policy.chunkSize());
    if (!settings.robotsOnly()) {
      out.printf(
          "device      %s, %s: %s%n",
          settings.device(), settings.precision(), settings.deviceReason());
    }
    out.printf(
        "robots      %d, one for each episode of %s, %s steps a second each%n",
        dataset.episodes().size(), settings.robots(), number(dataset.fps() * settings.speed()));
    out.printf("cameras     %s%n", cameras.describe());
    out.printf(
        "kafka       %s%s; topics %s%n",
        kafka.bootstrapServers(),
        settings.kafka().isPresent() ? "" : " (in this process)",
        String.join(", ", kafka.topics()));
    out.printf("%-11s %s%n", settings.robotsOnly() ? "job" : "web UI", job);
    if (settings.metricsPort() != 0) {
      out.printf("metrics     http://localhost:%d/metrics%n", settings.metricsPort());
    }
    out.flush();
  }

  private JobSettings job(LeRobotDataset dataset) {
    int robots = dataset.episodes().size();
    Duration step = Duration.ofNanos(Math.round(1e9 / (dataset.fps() * settings.speed())));
    JobSettings usual = Settings.job(settings.configuration());
    EngineSpec engine = usual.engine();
    return new JobSettings(
        new EngineSpec(
            settings.checkpoint().toString(),
            settings.device(),
            settings.precision(),
            settings.maxBatch(),
            engine.reuseBytes(),
            engine.warmUp(),
            engine.hangs()),
        usual.parallelism(),
        // Each robot may have one running and one waiting; the rest is for what is on its way.
        Math.max(usual.inFlight(), 4 * robots),
        usual.timeout(),
        usual.checkpointInterval(),
        usual.sessionTimeToLive(),
        usual.limits(),
        usual.roster(),
        settings.telemetry()
            ? usual.telemetry().map(how -> how.controlledEvery(step))
            : Optional.empty());
  }

  private ServingJob submit(
      EmbeddedFlink flink, JobSettings job, KafkaSettings kafka, Bookkeeping books)
      throws Exception {
    books.letJobBeginHere();
    StreamExecutionEnvironment environment = new StreamExecutionEnvironment(new Configuration());
    PolicyJob.build(environment, job, kafka, loader);
    return new EmbeddedJob(
        flink, environment, cause -> fail("the job failed: " + rootMessage(cause)));
  }

  /** The policy is loaded while the job starts; robots begin when it is ready. */
  private void awaitRunning(ServingJob job) throws Exception {
    Instant latest = Instant.now().plus(JOB_START);
    while (end.getCount() > 0 && !job.isRunning()) {
      if (Instant.now().isAfter(latest)) {
        fail("the job did not start within " + JOB_START.toMinutes() + " minutes");
      }
      end.await(POLL.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  /** Shows what happens until the run ends. */
  private void watch(Progress progress, Instant start, Fleet fleet, Ledger ledger)
      throws InterruptedException {
    Deque<Integer> chunks = new ArrayDeque<>();
    long keep = RECENT.dividedBy(progress.interval());
    while (true) {
      Duration elapsed = Duration.between(start, Instant.now());
      Duration wait = progress.interval();
      if (settings.duration().isPresent()) {
        Duration left = settings.duration().get().minus(elapsed);
        if (!left.isPositive()) {
          end.countDown();
        } else if (left.compareTo(wait) < 0) {
          wait = left;
        }
      }
      if (end.await(wait.toNanos(), TimeUnit.NANOSECONDS)) {
        return;
      }
      Summary now = ledger.summarySince(chunks.isEmpty() ? 0 : chunks.getFirst());
      chunks.addLast(Math.toIntExact(now.chunks()));
      if (chunks.size() > keep) {
        chunks.removeFirst();
      }
      progress.show(Duration.between(start, Instant.now()), fleet.size(), now);
    }
  }

  /**
   * Waits until every observation on the topic has its outcome, unless the job or the books are
   * gone.
   */
  private void drain(Bookkeeping books, Ledger ledger, ServingJob job) throws InterruptedException {
    Map<TopicPartition, Long> last = books.end();
    Instant latest = Instant.now().plus(LAST_ANSWERS);
    while (!books.isSettled(last)) {
      if (job.hasEnded() || books.haveFailed()) {
        return;
      }
      if (Instant.now().isAfter(latest)) {
        fail(
            "%d of %d observations had no outcome %d seconds after the last was sent"
                .formatted(
                    ledger.summary().missing(),
                    ledger.summary().observations(),
                    LAST_ANSWERS.toSeconds()));
        return;
      }
      Thread.sleep(POLL);
    }
  }

  private void fail(Exception cause) {
    fail(rootMessage(cause));
  }

  /** Ends the run with a sentence; the first one counts. */
  private void fail(String sentence) {
    failure.compareAndSet(null, sentence);
    end.countDown();
  }

  private static String rootMessage(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause.getMessage() == null ? cause.toString() : cause.getMessage();
  }

  private static String number(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }
}
