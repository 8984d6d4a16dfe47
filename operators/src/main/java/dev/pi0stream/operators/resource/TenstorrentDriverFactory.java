package dev.pi0stream.operators.resource;

import java.nio.file.Path;
import org.apache.flink.api.common.externalresource.ExternalResourceDriver;
import org.apache.flink.api.common.externalresource.ExternalResourceDriverFactory;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.Configuration;

/** Makes {@link TenstorrentDriver}s; Flink finds it by its name in the configuration. */
public final class TenstorrentDriverFactory implements ExternalResourceDriverFactory {
  /** Where the cards' files are; {@code external-resource.tt.param.directory}. */
  static final ConfigOption<String> DIRECTORY =
      ConfigOptions.key("directory").stringType().defaultValue("/dev/tenstorrent");

  @Override
  public ExternalResourceDriver createExternalResourceDriver(Configuration parameters) {
    return new TenstorrentDriver(Path.of(parameters.get(DIRECTORY)));
  }
}
