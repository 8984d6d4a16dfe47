package dev.pi0stream.job.cluster;

import dev.pi0stream.job.configuration.Configuration;
import dev.pi0stream.job.configuration.ConfigurationOptions;
import dev.pi0stream.job.configuration.Settings;
import dev.pi0stream.job.graph.JobSettings;
import dev.pi0stream.job.graph.KafkaSettings;
import dev.pi0stream.job.graph.PolicyJob;
import dev.pi0stream.operators.policy.CheckpointLoader;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * The program of the job: {@code standalone-job --job-classname} and {@code flink run -c} start it
 * with {@code --config FILE} and {@code --set KEY=VALUE}.
 *
 * <p>Settings are checked before the graph is built. What is wrong is thrown, so that Flink reports
 * the sentence and the process ends with its code; nothing here ends the JVM, which is Flink's.
 */
@Command(name = "serve")
public final class ServePolicy {
  @Mixin private ConfigurationOptions options;

  private ServePolicy() {}

  /**
   * Builds the job and hands it to the cluster that runs this program.
   *
   * @throws IllegalArgumentException one sentence, when a setting is wrong or missing
   * @throws CommandLine.ParameterException one sentence, when an argument is
   */
  public static void main(String[] arguments) throws Exception {
    StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
    build(environment, arguments);
    environment.execute();
  }

  /** Builds the job that the arguments describe. */
  static void build(StreamExecutionEnvironment environment, String... arguments) {
    ServePolicy program = new ServePolicy();
    new CommandLine(program).parseArgs(arguments);
    Configuration configuration = program.options.read();
    JobSettings job = Settings.job(configuration);
    KafkaSettings kafka = Settings.kafka(configuration);
    PolicyJob.build(environment, job, kafka, new CheckpointLoader());
  }
}
