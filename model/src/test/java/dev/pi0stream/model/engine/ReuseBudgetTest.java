package dev.pi0stream.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.pi0stream.device.Device;
import java.lang.reflect.Proxy;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class ReuseBudgetTest {
  private static final long GIBIBYTE = 1L << 30;

  @Test
  void aDeviceWithMemoryOfItsOwnKeepsThreeQuartersOfWhatIsLeft() {
    Device card = card(OptionalLong.of(6 * GIBIBYTE));
    assertThat(ReuseBudget.OF_DEVICE.bytes(card, 0)).isEqualTo(9 * GIBIBYTE / 2);
    // What is kept already would be left without it.
    assertThat(ReuseBudget.OF_DEVICE.bytes(card, 2 * GIBIBYTE)).isEqualTo(6 * GIBIBYTE);
  }

  @Test
  void onTheHostItIsAGibibyte() {
    assertThat(ReuseBudget.OF_DEVICE.bytes(card(OptionalLong.empty()), 0)).isEqualTo(GIBIBYTE);
  }

  @Test
  void aSettingIsStrongerAndMoreThanThereIsIsRefused() {
    Device card = card(OptionalLong.of(GIBIBYTE));
    ReuseBudget setting = ReuseBudget.of(3 * GIBIBYTE);
    assertThat(setting.bytes(card, 0)).isEqualTo(3 * GIBIBYTE);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> setting.check(card, GIBIBYTE))
        .withMessage(
            "memory for reuse is 3072 MiB: expected at most 2048, which device 'card' has beside"
                + " the policy and what its batches take");
    assertThatCode(() -> setting.check(card, 2 * GIBIBYTE)).doesNotThrowAnyException();
    assertThatCode(() -> setting.check(card(OptionalLong.empty()), 0)).doesNotThrowAnyException();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ReuseBudget.of(-1))
        .withMessage("memory for reuse is -1 bytes: expected 0 or more");
  }

  private static Device card(OptionalLong spare) {
    return (Device)
        Proxy.newProxyInstance(
            Device.class.getClassLoader(),
            new Class<?>[] {Device.class},
            (_, method, _) ->
                switch (method.getName()) {
                  case "spareBytes" -> spare;
                  case "name" -> "card";
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }
}
