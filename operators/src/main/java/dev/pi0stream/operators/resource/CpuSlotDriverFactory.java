package dev.pi0stream.operators.resource;

import java.util.LinkedHashSet;
import java.util.Set;
import org.apache.flink.api.common.externalresource.ExternalResourceDriver;
import org.apache.flink.api.common.externalresource.ExternalResourceDriverFactory;
import org.apache.flink.configuration.Configuration;

/** As many engines on the processor as are asked for: {@code cpu:0}, {@code cpu:1}, …. */
public final class CpuSlotDriverFactory implements ExternalResourceDriverFactory {
  @Override
  public ExternalResourceDriver createExternalResourceDriver(Configuration parameters) {
    return CpuSlotDriverFactory::slots;
  }

  private static Set<DeviceInfo> slots(long amount) {
    Set<DeviceInfo> slots = new LinkedHashSet<>();
    for (int slot = 0; slot < amount; slot++) {
      slots.add(new DeviceInfo("cpu", slot));
    }
    return slots;
  }
}
