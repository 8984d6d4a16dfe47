package dev.pi0stream.job.configuration;

import dev.pi0stream.device.Devices;
import dev.pi0stream.device.Precision;
import dev.pi0stream.job.embedded.Topics;
import dev.pi0stream.job.graph.JobSettings;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.operators.observation.ObservationLimits;
import dev.pi0stream.operators.policy.EngineSpec;
import dev.pi0stream.operators.telemetry.TelemetrySettings;
import dev.pi0stream.schemas.WireFormat;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Every setting that there is, in the order of the reference page. */
public final class Settings {
  private static final JobSettings USUAL =
      JobSettings.defaults(
          new EngineSpec("examples/checkpoint", "cpu", "fp32", 8).warmedUp(Duration.ofSeconds(8)));
  private static final KafkaSettings TOPICS = KafkaSettings.defaults("");
  private static final int MOST = 1 << 20;

  public static final Setting<String> CHECKPOINT =
      Setting.of(
          "policy.checkpoint",
          ValueKind.text("the folder of a checkpoint"),
          USUAL.engine().checkpoint(),
          "Folder of the checkpoint, on every TaskManager. A relative one is taken from the process's"
              + " working directory, which is `/opt/flink` in the image.");

  public static final Setting<String> DEVICE =
      Setting.of(
          "policy.device",
          // One name is that of a card by its number, which any back end may have here.
          ValueKind.devices(Devices.NAMES.stream().filter(name -> !name.contains(":")).toList()),
          USUAL.engine().device(),
          "What computes the policy. Several devices are shared by the subtasks of a TaskManager."
              + " Where Flink has an external resource of the back end's name, its devices are taken"
              + " instead.");

  public static final Setting<Precision> PRECISION =
      Setting.withoutFallback(
          "policy.precision",
          ValueKind.oneOf(Precision.class),
          "How weights are kept and multiplied; if not given, what suits the device: bfp8 on a"
              + " card, else fp32. One that the device has not is refused when the job starts.");

  public static final Setting<Integer> MAX_BATCH =
      Setting.of(
          "policy.max-batch",
          ValueKind.wholeNumber(1, 1024),
          USUAL.engine().maxBatch(),
          "The most robots that are computed together.");

  public static final Setting<Integer> REUSE_MEBIBYTES =
      Setting.withoutFallback(
          "policy.reuse-mebibytes",
          ValueKind.wholeNumber(0, MOST),
          "Of a device's memory, what may hold earlier pictures' features and prompts' prefixes for"
              + " another use; if not given, on a card three quarters of what the policy and its"
              + " batches leave, else 1024. More than a card has is refused when the job starts.");

  public static final Setting<Duration> WARM_UP =
      Setting.of(
          "policy.warm-up",
          ValueKind.durationOrNone(),
          USUAL.engine().warmUp(),
          "The longest that a policy rehearses on its device before it serves.");

  public static final Setting<Duration> HANGS =
      Setting.of(
          "policy.hangs-after",
          ValueKind.duration(),
          USUAL.engine().hangs(),
          "A batch that has not ended after this, and took ten times of what was expected, counts as"
              + " a device that hangs.");

  public static final Setting<Integer> PARALLELISM =
      Setting.of(
          "job.parallelism",
          ValueKind.wholeNumber(1, 128),
          USUAL.parallelism(),
          "Subtasks of every operator, and with them TaskManager slots. Subtasks of one TaskManager"
              + " share its engine. Flink's adaptive scheduler runs with fewer while there are fewer"
              + " slots.");

  public static final Setting<Integer> IN_FLIGHT =
      Setting.of(
          "job.in-flight",
          ValueKind.wholeNumber(1, MOST),
          USUAL.inFlight(),
          "The most observations that a subtask has at its engine. At least twice its robots, as"
              + " each may have one in work and one waiting.");

  public static final Setting<Duration> TIMEOUT =
      Setting.of(
          "job.timeout",
          ValueKind.duration(),
          USUAL.timeout(),
          "An observation that has no chunk for so long ends as expired.");

  public static final Setting<Duration> CHECKPOINT_INTERVAL =
      Setting.of(
          "job.checkpoint-interval",
          ValueKind.duration(),
          USUAL.checkpointInterval(),
          "Between two of Flink's checkpoints. What arrived since the last one is read again after a"
              + " failure.");

  public static final Setting<Duration> SESSION_TIME_TO_LIVE =
      Setting.of(
          "job.session-time-to-live",
          ValueKind.duration(),
          USUAL.sessionTimeToLive(),
          "How long a silent robot's prompt and last frames are remembered.");

  public static final Setting<String> ROSTER =
      Setting.of(
          "job.roster",
          ValueKind.names(),
          "",
          "Robots that are spread evenly over the subtasks, whatever their names; for fleets so small"
              + " that chance does not do it. New robots go to the end.");

  public static final Setting<String> BOOTSTRAP_SERVERS =
      Setting.withoutFallback(
          "kafka.bootstrap-servers",
          ValueKind.brokers(),
          "Where Kafka's brokers are. The job needs it; `pi0 run` without it starts a broker in its"
              + " process.");

  public static final Setting<String> GROUP =
      Setting.of(
          "kafka.group",
          ValueKind.text("a name"),
          TOPICS.group(),
          "Consumer group of the job, under which it commits how far it has read.");

  public static final Setting<KafkaSettings.Start> START =
      Setting.of(
          "kafka.start",
          ValueKind.oneOf(KafkaSettings.Start.class),
          KafkaSettings.Start.COMMITTED,
          "Where a job without a checkpoint begins to read: with the oldest observation that there"
              + " is, with those that arrive from now on, or where the group was (with the oldest,"
              + " where it never was).");

  public static final Setting<String> OBSERVATIONS =
      Setting.of(
          "kafka.topics.observations",
          ValueKind.topic(),
          TOPICS.observations(),
          "Topic of the robots' observations.");

  public static final Setting<String> CHUNKS =
      Setting.of(
          "kafka.topics.chunks", ValueKind.topic(), TOPICS.chunks(), "Topic of the action chunks.");

  public static final Setting<String> OUTCOMES =
      Setting.of(
          "kafka.topics.outcomes",
          ValueKind.topic(),
          TOPICS.outcomes(),
          "Topic of the observations that led to no chunk, with the reason.");

  public static final Setting<String> TELEMETRY_TOPIC =
      Setting.of(
          "kafka.topics.telemetry",
          ValueKind.topic(),
          TOPICS.telemetry(),
          "Topic of what each robot experienced.");

  public static final Setting<Integer> PARTITIONS =
      Setting.of(
          "kafka.create.partitions",
          ValueKind.wholeNumber(1, 10_000),
          4,
          "Partitions of each topic that `pi0 topics` creates; at least `job.parallelism`.");

  public static final Setting<Integer> REPLICATION =
      Setting.withoutFallback(
          "kafka.create.replication",
          ValueKind.wholeNumber(1, 100),
          "Brokers that hold each of these topics; if not given, as many as the brokers say.");

  public static final Setting<Duration> RETENTION =
      Setting.withoutFallback(
          "kafka.create.retention",
          ValueKind.duration(),
          "How long these topics keep their records; if not given, as long as the brokers say.");

  public static final Setting<Boolean> TELEMETRY =
      Setting.of(
          "telemetry.enabled",
          ValueKind.truth(),
          true,
          "Whether there is a report of each robot's experience, window by window.");

  public static final Setting<Duration> WINDOW =
      Setting.of(
          "telemetry.window",
          ValueKind.duration(),
          TelemetrySettings.DEFAULT.window(),
          "The event time that one report is about.");

  public static final Setting<Duration> PATIENCE =
      Setting.of(
          "telemetry.patience",
          ValueKind.durationOrNone(),
          TelemetrySettings.DEFAULT.patience(),
          "How long a window waits for the outcomes of its observations; what comes later is counted"
              + " as late.");

  public static final Setting<Duration> CONTROL_PERIOD =
      Setting.of(
          "telemetry.control-period",
          ValueKind.duration(),
          TelemetrySettings.DEFAULT.controlPeriod(),
          "From one step of a chunk to the next on the robots.");

  public static final Setting<Integer> NAME_BYTES =
      limit(
          "name-bytes",
          ObservationLimits.DEFAULT.nameBytes(),
          "Of a robot's, an episode's or a" + " camera's name, in UTF-8.");

  public static final Setting<Integer> PROMPT_BYTES =
      limit(
          "prompt-bytes", ObservationLimits.DEFAULT.promptBytes(), "Of an instruction, in UTF-8.");

  public static final Setting<Integer> STATE_NUMBERS =
      limit("state-numbers", ObservationLimits.DEFAULT.stateNumbers(), "Numbers of a joint state.");

  public static final Setting<Integer> REMAINING_NUMBERS =
      limit(
          "remaining-numbers",
          ObservationLimits.DEFAULT.remainingNumbers(),
          "Numbers of the rest of a chunk in execution.");

  public static final Setting<Integer> CAMERAS =
      limit("cameras", ObservationLimits.DEFAULT.cameras(), "Frames of one observation.");

  public static final Setting<Integer> FRAME_BYTES =
      limit("frame-bytes", ObservationLimits.DEFAULT.frameBytes(), "Of one frame, as it is sent.");

  /** All of them. */
  public static final List<Setting<?>> ALL =
      List.of(
          CHECKPOINT,
          DEVICE,
          PRECISION,
          MAX_BATCH,
          REUSE_MEBIBYTES,
          WARM_UP,
          HANGS,
          PARALLELISM,
          IN_FLIGHT,
          TIMEOUT,
          CHECKPOINT_INTERVAL,
          SESSION_TIME_TO_LIVE,
          ROSTER,
          BOOTSTRAP_SERVERS,
          GROUP,
          START,
          OBSERVATIONS,
          CHUNKS,
          OUTCOMES,
          TELEMETRY_TOPIC,
          PARTITIONS,
          REPLICATION,
          RETENTION,
          TELEMETRY,
          WINDOW,
          PATIENCE,
          CONTROL_PERIOD,
          NAME_BYTES,
          PROMPT_BYTES,
          STATE_NUMBERS,
          REMAINING_NUMBERS,
          CAMERAS,
          FRAME_BYTES);

  private Settings() {}

  /** How the job serves. */
  public static JobSettings job(Configuration configuration) {
    return new JobSettings(
        engine(configuration),
        configuration.get(PARALLELISM),
        configuration.get(IN_FLIGHT),
        configuration.get(TIMEOUT),
        configuration.get(CHECKPOINT_INTERVAL),
        configuration.get(SESSION_TIME_TO_LIVE),
        limits(configuration),
        roster(configuration),
        telemetry(configuration));
  }

  /**
   * Where the job reads and writes.
   *
   * @throws ConfigurationException where no broker is given
   */
  public static KafkaSettings kafka(Configuration configuration) {
    return new KafkaSettings(
        configuration.get(BOOTSTRAP_SERVERS),
        configuration.get(OBSERVATIONS),
        configuration.get(CHUNKS),
        configuration.get(OUTCOMES),
        configuration.get(TELEMETRY_TOPIC),
        configuration.get(GROUP),
        configuration.get(START));
  }

  /** The shape of topics that are created. */
  public static Topics.Shape topics(Configuration configuration) {
    return new Topics.Shape(
        configuration.get(PARTITIONS),
        configuration.find(REPLICATION),
        configuration.find(RETENTION));
  }

  private static EngineSpec engine(Configuration configuration) {
    String device = configuration.get(DEVICE);
    return new EngineSpec(
        configuration.get(CHECKPOINT),
        device,
        configuration.find(PRECISION).orElseGet(() -> Devices.defaultPrecision(device)).label(),
        configuration.get(MAX_BATCH),
        configuration.find(REUSE_MEBIBYTES).map(mebibytes -> (long) mebibytes << 20).orElse(null),
        configuration.get(WARM_UP),
        configuration.get(HANGS));
  }

  private static List<String> roster(Configuration configuration) {
    return Arrays.stream(configuration.get(ROSTER).split(",", -1))
        .map(String::strip)
        .filter(name -> !name.isEmpty())
        .toList();
  }

  private static Optional<TelemetrySettings> telemetry(Configuration configuration) {
    return configuration.get(TELEMETRY)
        ? Optional.of(
            new TelemetrySettings(
                configuration.get(WINDOW),
                configuration.get(PATIENCE),
                configuration.get(CONTROL_PERIOD)))
        : Optional.empty();
  }

  private static ObservationLimits limits(Configuration configuration) {
    return new ObservationLimits(
        configuration.get(NAME_BYTES),
        configuration.get(PROMPT_BYTES),
        configuration.get(STATE_NUMBERS),
        configuration.get(REMAINING_NUMBERS),
        configuration.get(CAMERAS),
        configuration.get(FRAME_BYTES));
  }

  static Optional<Setting<?>> find(String key) {
    return ALL.stream().filter(setting -> setting.key().equals(key)).findFirst();
  }

  static List<String> keys() {
    return ALL.stream().map(Setting::key).toList();
  }

  /** The parts of the file, those within others too, in the order of the reference page. */
  static List<String> sections() {
    return ALL.stream().map(Setting::section).distinct().toList();
  }

  private static Setting<Integer> limit(String name, int fallback, String description) {
    return Setting.of(
        "limits." + name,
        ValueKind.wholeNumber(1, WireFormat.MAX_MESSAGE_BYTES),
        fallback,
        description);
  }
}
