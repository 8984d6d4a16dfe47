package dev.pi0stream.operators.resource;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.apache.flink.api.common.externalresource.ExternalResourceInfo;

/**
 * One device of a machine, as {@code back end:index}.
 *
 * @param backEnd such as {@code tt}
 * @param index the machine's number of it
 */
public record DeviceInfo(String backEnd, int index) implements ExternalResourceInfo {
  /** The property that holds {@code back end:index}. */
  public static final String DEVICE = "device";

  /** The property that holds the index. */
  public static final String INDEX = "index";

  @Override
  public Optional<String> getProperty(String key) {
    return switch (key) {
      case DEVICE -> Optional.of(backEnd + ":" + index);
      case INDEX -> Optional.of(Integer.toString(index));
      default -> Optional.empty();
    };
  }

  @Override
  public Collection<String> getKeys() {
    return List.of(DEVICE, INDEX);
  }
}
