package dev.pi0stream.tests.stream;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What Prometheus is told.
 *
 * @param samples by name and labels
 */
record Scrape(Map<String, Double> samples) {
  private static final Pattern SAMPLE = Pattern.compile("([a-zA-Z_:][\\w:]*)(\\{.*})? (\\S+)");

  /** A port that nobody has now. */
  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** Asks as Prometheus does. */
  static Scrape of(int port) throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newHttpClient()) {
      HttpResponse<String> answer =
          client.send(
              HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/metrics")).build(),
              HttpResponse.BodyHandlers.ofString());
      Map<String, Double> samples = new TreeMap<>();
      answer
          .body()
          .lines()
          .filter(line -> !line.startsWith("#"))
          .forEach(
              line -> {
                Matcher sample = SAMPLE.matcher(line);
                if (!sample.matches()) {
                  throw new AssertionError("no sample of Prometheus: " + line);
                }
                samples.put(
                    sample.group(1) + (sample.group(2) == null ? "" : sample.group(2)),
                    Double.valueOf(sample.group(3)));
              });
      return new Scrape(samples);
    }
  }

  /** The names of all samples, without labels. */
  Set<String> names() {
    Set<String> names = new TreeSet<>();
    samples.keySet().forEach(sample -> names.add(name(sample)));
    return names;
  }

  /** The sum of all samples of a name that have a label, such as {@code quantile="0.5"}. */
  double sum(String name, String label) {
    return samples.entrySet().stream()
        .filter(sample -> name(sample.getKey()).equals(name) && sample.getKey().contains(label))
        .mapToDouble(Map.Entry::getValue)
        .sum();
  }

  private static String name(String sample) {
    return sample.replaceFirst("\\{.*", "");
  }
}
