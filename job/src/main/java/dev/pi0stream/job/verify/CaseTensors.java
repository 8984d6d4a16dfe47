package dev.pi0stream.job.verify;

import dev.pi0stream.device.Device.HostKeyValues;
import dev.pi0stream.device.Sequences;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Predicate;

/**
 * What a policy computed for the rows of a batch, put together as LeRobot's padded tensors.
 *
 * @param layout of the prefix
 * @param recorder what the policy showed
 * @param observed where and what it attended
 * @param batch the number of rows
 * @param horizon action rows of each
 * @param stateRows 1 with π0's state row before them, 0 without
 */
record CaseTensors(
    PrefixLayout layout,
    CaseRecorder recorder,
    ObservedDevice.Notes observed,
    int batch,
    int horizon,
    int stateRows) {

  /** A matrix that packs the action rows of all the batch: batch × horizon × columns. */
  Values actionRows(String name) {
    CaseRecorder.Matrix matrix = recorder.get(name);
    return Values.of(matrix.values(), batch, horizon, matrix.columns());
  }

  /** A row that holds for all the batch: batch × columns. */
  Values shared(String name) {
    CaseRecorder.Matrix matrix = recorder.get(name);
    float[] repeated = new float[batch * matrix.columns()];
    for (int row = 0; row < batch; row++) {
      int from = matrix.rows() == 1 ? 0 : row * matrix.columns();
      System.arraycopy(matrix.values(), from, repeated, row * matrix.columns(), matrix.columns());
    }
    return Values.of(repeated, batch, matrix.columns());
  }

  /** State row and action rows of the suffix: batch × (state rows + horizon) × columns. */
  Values suffixRows(String state, String actions) {
    CaseRecorder.Matrix rows = recorder.get(actions);
    if (stateRows == 0) {
      return actionRows(actions);
    }
    CaseRecorder.Matrix first = recorder.get(state);
    int columns = rows.columns();
    int size = (stateRows + horizon) * columns;
    float[] all = new float[batch * size];
    for (int row = 0; row < batch; row++) {
      System.arraycopy(first.values(), row * columns, all, row * size, columns);
      System.arraycopy(
          rows.values(), row * horizon * columns, all, row * size + columns, horizon * columns);
    }
    return Values.of(all, batch, stateRows + horizon, columns);
  }

  /** Which rows of the padded prefixes are computed: batch × rows. */
  Values prefixMask() {
    return Values.of(layout.valid(), batch, layout.rows());
  }

  /** The positions that the policy used; rows that it leaves out repeat the one before. */
  Values prefixPositions() {
    int[] used = rotation(positions -> positions.length == layout.start(batch), "the prefix", 0);
    int[] positions = new int[batch * layout.rows()];
    for (int row = 0; row < batch; row++) {
      int[] sources = layout.sources(row);
      int last = -1;
      for (int i = 0; i < sources.length; i++) {
        if (sources[i] >= 0) {
          last = used[layout.start(row) + sources[i]];
        }
        positions[row * layout.rows() + i] = last;
      }
    }
    return Values.of(positions, batch, layout.rows());
  }

  /** The positions that the policy used for the suffix: batch × (state rows + horizon). */
  Values suffixPositions() {
    int rows = stateRows + horizon;
    int[] positions = new int[batch * rows];
    if (stateRows == 1) {
      int[] state = rotation(used -> used.length == batch, "the state rows", 1);
      for (int row = 0; row < batch; row++) {
        positions[row * rows] = state[row];
      }
    }
    int[] actions =
        rotation(used -> used.length == batch * horizon, "the action rows", 1 + stateRows);
    for (int row = 0; row < batch; row++) {
      System.arraycopy(actions, row * horizon, positions, row * rows + stateRows, horizon);
    }
    return Values.of(positions, batch, rows);
  }

  /** The rotation that the policy made as its n-th, which has to be for the rows that are meant. */
  private int[] rotation(Predicate<int[]> expected, String rows, int index) {
    List<int[]> used = observed.positions();
    if (used.size() <= index || !expected.test(used.get(index))) {
      throw new IllegalStateException(
          "the policy does not rotate %s as its rotation %d".formatted(rows, index + 1));
    }
    return used.get(index);
  }

  /**
   * Who attends whom in the suffix, from what the policy gave to the device's attention: batch ×
   * suffix rows × (prefix rows + suffix rows).
   */
  Values suffixMask() {
    int rows = stateRows + horizon;
    int columns = layout.rows() + rows;
    boolean[] mask = new boolean[batch * rows * columns];
    List<ObservedDevice.Attention> calls = observed.attentions();
    if (calls.isEmpty()) {
      throw new IllegalStateException("the suffix attends nothing");
    }
    Sequences stateContext = stateRows == 0 ? null : context(calls.getFirst(), 1);
    Sequences actionContext = context(calls.getLast(), horizon);
    for (int row = 0; row < batch; row++) {
      int[] sources = layout.sources(row);
      for (int query = 0; query < rows; query++) {
        boolean state = query < stateRows;
        int attended = (state ? stateContext : actionContext).length(row);
        int suffixContext = attended - layout.length(row);
        int from = (row * rows + query) * columns;
        for (int key = 0; key < sources.length; key++) {
          mask[from + key] = sources[key] >= 0 && sources[key] < attended;
        }
        // Rows of the suffix that are context already, then those that attend with this one.
        int own = state ? 1 : horizon;
        for (int key = 0; key < rows; key++) {
          boolean inContext = key < suffixContext;
          boolean inOwn = key >= suffixContext && key < suffixContext + own;
          mask[from + sources.length + key] = inContext || inOwn;
        }
      }
    }
    return Values.of(mask, batch, rows, columns);
  }

  private Sequences context(ObservedDevice.Attention call, int own) {
    if (!call.own().equals(Sequences.uniform(batch, own))) {
      throw new IllegalStateException(
          "the policy attends with %s, expected %d rows of each of %d sequences"
              .formatted(call.own(), own, batch));
    }
    return call.context();
  }

  /**
   * Rows of the prefix: batch × rows × columns.
   *
   * @param computed packed rows of all the batch
   * @param leftOut what LeRobot has in a row of the padded prefix that the policy leaves out
   */
  Values prefixRows(String computed, IntFunction<float[]> leftOut) {
    CaseRecorder.Matrix matrix = recorder.get(computed);
    int columns = matrix.columns();
    float[] all = new float[batch * layout.rows() * columns];
    for (int row = 0; row < batch; row++) {
      int[] sources = layout.sources(row);
      for (int i = 0; i < sources.length; i++) {
        int to = (row * layout.rows() + i) * columns;
        if (sources[i] >= 0) {
          int from = (layout.start(row) + sources[i]) * columns;
          System.arraycopy(matrix.values(), from, all, to, columns);
        } else {
          System.arraycopy(leftOut.apply(i), 0, all, to, columns);
        }
      }
    }
    return Values.of(all, batch, layout.rows(), columns);
  }

  /**
   * Keys or values of a layer of the prefix: batch × heads × rows × head size; rows that the policy
   * leaves out are 0.
   */
  Values keysOrValues(int layer, boolean keys, int heads, int size) {
    int rows = layout.rows();
    float[] all = new float[batch * heads * rows * size];
    for (int row = 0; row < batch; row++) {
      HostKeyValues stored = recorder.prefix(layer, row);
      float[] packed = keys ? stored.keys() : stored.values();
      int[] sources = layout.sources(row);
      for (int head = 0; head < heads; head++) {
        for (int i = 0; i < rows; i++) {
          if (sources[i] >= 0) {
            int to = ((row * heads + head) * rows + i) * size;
            System.arraycopy(packed, (sources[i] * heads + head) * size, all, to, size);
          }
        }
      }
    }
    return Values.of(all, batch, heads, rows, size);
  }

  /** Which numbers of {@link #keysOrValues} mean something. */
  boolean[] keyValueCounts(int heads, int size) {
    boolean[] valid = layout.valid();
    int rows = layout.rows();
    boolean[] counts = new boolean[batch * heads * rows * size];
    for (int row = 0; row < batch; row++) {
      for (int head = 0; head < heads; head++) {
        for (int i = 0; i < rows; i++) {
          int from = ((row * heads + head) * rows + i) * size;
          Arrays.fill(counts, from, from + size, valid[row * rows + i]);
        }
      }
    }
    return counts;
  }
}
