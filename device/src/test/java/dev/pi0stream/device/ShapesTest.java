package dev.pi0stream.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

/** {@link Sequences}, {@link Heads} and {@link Precision}: what stands beside a tensor. */
class ShapesTest {
  @Test
  void sequencesLieOneBehindTheOther() {
    Sequences sequences = Sequences.of(3, 0, 2);
    assertThat(sequences.count()).isEqualTo(3);
    assertThat(sequences.rows()).isEqualTo(5);
    assertThat(sequences.start(2)).isEqualTo(3);
    assertThat(sequences.length(1)).isZero();
    assertThat(sequences).hasToString("Sequences[3, 0, 2]").isEqualTo(Sequences.of(3, 0, 2));
    assertThat(Sequences.uniform(2, 4))
        .isEqualTo(Sequences.of(4, 4))
        .hasSameHashCodeAs(Sequences.of(4, 4));
    assertThat(Sequences.of().rows()).isZero();
  }

  @Test
  void aNegativeLengthIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Sequences.of(1, -1))
        .withMessage("sequence 1 has length -1");
  }

  @Test
  void headsArePackedQueriesKeysValues() {
    Heads heads = new Heads(8, 2, 16);
    assertThat(heads.queryColumns()).isEqualTo(128);
    assertThat(heads.keyValueColumns()).isEqualTo(32);
    assertThat(heads.columns()).isEqualTo(192);
    assertThat(heads.withoutQueries().columns()).isEqualTo(64);
  }

  @Test
  void queryHeadsAreAMultipleOfKeyHeads() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Heads(5, 2, 16))
        .withMessage("5 query heads, 2 key/value heads of size 16");
  }

  @Test
  void precisionsAreReadInAnyCase() {
    assertThat(Precision.parse("BF16")).isEqualTo(Precision.BF16);
    assertThat(Precision.parse("fp32")).isEqualTo(Precision.FP32);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Precision.parse("int4"))
        .withMessage("precision 'int4': expected one of fp32, bf16, bfp8, int8");
  }
}
