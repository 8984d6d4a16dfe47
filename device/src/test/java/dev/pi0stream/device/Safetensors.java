package dev.pi0stream.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Just enough of the safetensors format to read golden vectors. */
record Safetensors(Map<String, Entry> entries) {
  private static final Path GOLDEN = Path.of("..", "tests", "golden", "ops");
  private static final Pattern ENTRY =
      Pattern.compile(
          "\"([^\"]+)\":\\{\"dtype\":\"(\\w+)\",\"shape\":\\[([\\d,]*)],"
              + "\"data_offsets\":\\[(\\d+),(\\d+)]}");

  /** A tensor: its sizes, and its numbers as double, which holds all of them exactly. */
  record Entry(int[] shape, double[] values) {
    float[] floats() {
      float[] floats = new float[values.length];
      for (int i = 0; i < floats.length; i++) {
        floats[i] = (float) values[i];
      }
      return floats;
    }

    int[] ints() {
      return Arrays.stream(values).mapToInt(value -> (int) value).toArray();
    }
  }

  static Safetensors golden(String name) throws IOException {
    ByteBuffer file =
        ByteBuffer.wrap(Files.readAllBytes(GOLDEN.resolve(name + ".safetensors")))
            .order(ByteOrder.LITTLE_ENDIAN);
    byte[] header = new byte[(int) file.getLong()];
    file.get(header);
    ByteBuffer data = file.slice().order(ByteOrder.LITTLE_ENDIAN);
    Map<String, Entry> entries = new TreeMap<>();
    Matcher matcher = ENTRY.matcher(new String(header, StandardCharsets.UTF_8));
    while (matcher.find()) {
      int[] shape =
          matcher.group(3).isEmpty()
              ? new int[0]
              : Arrays.stream(matcher.group(3).split(",", -1))
                  .mapToInt(Integer::parseInt)
                  .toArray();
      double[] values = new double[Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
      data.position(Integer.parseInt(matcher.group(4)));
      for (int i = 0; i < values.length; i++) {
        values[i] =
            switch (matcher.group(2)) {
              case "F32" -> data.getFloat();
              case "I64" -> data.getLong();
              default -> throw new IOException(name + ": dtype " + matcher.group(2));
            };
      }
      entries.put(matcher.group(1), new Entry(shape, values));
    }
    return new Safetensors(entries);
  }

  Entry get(String name) {
    Entry entry = entries.get(name);
    if (entry == null) {
      throw new IllegalArgumentException("no tensor '" + name + "' in " + entries.keySet());
    }
    return entry;
  }
}
