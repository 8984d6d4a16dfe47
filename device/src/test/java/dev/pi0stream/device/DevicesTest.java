package dev.pi0stream.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;

class DevicesTest {
  @Test
  void everyNameOpensADeviceOfThatName() {
    for (String name : List.of("cpu", "reference")) {
      try (Device device = Devices.open(name, Precision.FP32)) {
        assertThat(device.name()).isEqualTo(name);
        assertThat(device.precision()).isEqualTo(Precision.FP32);
      }
    }
  }

  @Test
  void anUnknownNameIsRefusedWithTheNamesThereAre() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Devices.open("gpu", Precision.FP32))
        .withMessage("device 'gpu': expected one of cpu, reference, tt, tt:N");
  }

  @Test
  void theReferenceIsFp32Only() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Devices.open("reference", Precision.BF16))
        .withMessageContaining("fp32 only, not in bf16");
  }
}
