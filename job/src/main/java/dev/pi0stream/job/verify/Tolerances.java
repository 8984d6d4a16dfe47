package dev.pi0stream.job.verify;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a case's tensors may differ by in fp32: the longest prefix of a name that matches counts.
 */
record Tolerances(Map<String, Criterion.Absolute> byPrefix) {
  private static final Criterion.Absolute DEFAULT = new Criterion.Absolute(1e-4, 1e-5);

  static Tolerances of(JsonNode tolerance) {
    Map<String, Criterion.Absolute> byPrefix = new LinkedHashMap<>();
    byPrefix.put("", DEFAULT);
    for (Map.Entry<String, JsonNode> entry : tolerance.properties()) {
      String prefix = entry.getKey().equals("default") ? "" : entry.getKey();
      JsonNode bounds = entry.getValue();
      byPrefix.put(
          prefix,
          new Criterion.Absolute(
              bounds.path("max_abs_error").asDouble(DEFAULT.max()),
              bounds.path("rms_error").asDouble(Double.POSITIVE_INFINITY)));
    }
    return new Tolerances(byPrefix);
  }

  /** The bounds of a tensor. */
  Criterion of(String name) {
    String longest = "";
    for (String prefix : byPrefix.keySet()) {
      if (name.startsWith(prefix) && prefix.length() > longest.length()) {
        longest = prefix;
      }
    }
    return byPrefix.get(longest);
  }
}
