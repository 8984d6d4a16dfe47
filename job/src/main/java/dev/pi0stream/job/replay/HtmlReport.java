package dev.pi0stream.job.replay;

import static dev.pi0stream.job.replay.SvgChart.escaped;

import dev.pi0stream.job.evaluation.CriticalFigures;
import dev.pi0stream.job.evaluation.CriticalInterval;
import dev.pi0stream.job.evaluation.EpisodeErrors;
import dev.pi0stream.job.evaluation.ErrorFigures;
import dev.pi0stream.job.evaluation.EvaluationReport;
import dev.pi0stream.job.evaluation.Moment;
import dev.pi0stream.job.replay.ReplayResult.ReplayedPolicy;
import dev.pi0stream.job.run.CameraMapping;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.operators.dataset.Episode;
import dev.pi0stream.operators.dataset.EpisodeReader;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import dev.pi0stream.operators.dataset.StepRange;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** The result of a replay as one HTML page that needs no other file. */
final class HtmlReport {
  private static final int WORST_EPISODES = 4;
  private static final String DASH = "–";

  private final ReplayResult result;
  private final LeRobotDataset dataset;
  private final CameraMapping cameras;
  private final StringBuilder page = new StringBuilder();

  HtmlReport(ReplayResult result, LeRobotDataset dataset, CameraMapping cameras) {
    this.result = result;
    this.dataset = dataset;
    this.cameras = cameras;
  }

  /** The page. */
  String html() throws IOException {
    page.append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        .append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">")
        .append("<title>Replay of ")
        .append(escaped(String.valueOf(dataset.root().getFileName())))
        .append("</title><style>")
        .append(style())
        .append("</style></head><body>");
    head();
    figures();
    horizon();
    critical();
    episodes();
    worst();
    skipped();
    page.append("</body></html>");
    return page.toString();
  }

  private static String style() throws IOException {
    try (InputStream css = HtmlReport.class.getResourceAsStream("report.css")) {
      return new String(css.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  // ------------------------------------------------------------------ what was replayed

  private void head() {
    page.append("<h1>Replay of ")
        .append(escaped(dataset.root().toString()))
        .append("</h1><p class=\"sum\"><b>")
        .append(count(result.frames()))
        .append("</b> frames, <b>")
        .append(count(result.chunks()))
        .append("</b> chunks, <b>")
        .append(count(result.rejected()))
        .append("</b> rejected, <b>")
        .append(result.skippedEpisodes().size())
        .append("</b> episodes skipped</p><table class=\"about\">");
    policy("policy", result.policy());
    if (result.against() != null) {
      policy("against", result.against().policy());
    }
    row("cameras", cameras.describe());
    row("rate", decimal(dataset.fps()) + " frames a second");
    if (result.throughput() != null) {
      row(
          "throughput",
          "%s chunks a second, device busy %s %% of the time"
              .formatted(
                  decimal(result.throughput().chunksPerSecond()),
                  decimal(100 * result.throughput().engineShare())));
    }
    if (result.firstRejection() != null) {
      row("first rejection", result.firstRejection());
    }
    page.append("</table>");
  }

  private void policy(String name, ReplayedPolicy policy) {
    row(
        name,
        "%s on %s in %s, batches of up to %d, seed %d; %s…"
            .formatted(
                policy.checkpoint(),
                policy.device(),
                policy.precision(),
                policy.maxBatch(),
                policy.seed(),
                policy.digest().substring(0, 12)));
  }

  private void row(String name, String value) {
    page.append("<tr><th>")
        .append(escaped(name))
        .append("</th><td>")
        .append(escaped(value))
        .append("</td></tr>");
  }

  // ------------------------------------------------------------------ figures

  private void figures() {
    page.append("<h2>Error to the log</h2><p>Action k of the chunk for step t against the action")
        .append(
            " logged at t + k. Normalised: in standard deviations of the logged action. A small")
        .append(" mean alone does not make a policy that succeeds: see the critical intervals and")
        .append(" the worst moments.</p><div class=\"wide\"><table><tr><th></th>");
    page.append("<th>policy</th>");
    if (result.against() != null) {
      page.append("<th>against</th>");
    }
    page.append("</tr>");
    figure("normalised, mean", r -> r.error().all().normalisedMeanAbs());
    figure("normalised, rms", r -> r.error().all().normalisedRmse());
    figure("chunk's normalised rms, median", r -> r.error().chunkNormalisedRmse().p50());
    figure("chunk's normalised rms, 99th percentile", r -> r.error().chunkNormalisedRmse().p99());
    figure("chunk's normalised rms, worst", r -> r.error().chunkNormalisedRmse().max());
    figure("robot units, mean", r -> r.error().all().meanAbs());
    for (String group : result.evaluation().error().groups().keySet()) {
      figure(group + ", robot units, mean", r -> r.error().groups().get(group).meanAbs());
      figure(group + ", normalised, mean", r -> r.error().groups().get(group).normalisedMeanAbs());
    }
    if (result.evaluation().spread() != null) {
      figure("spread over noise samples, mean", r -> r.spread().mean());
      figure("spread over noise samples, 95th percentile", r -> r.spread().p95());
    }
    figure("successive chunks apart, normalised mean", r -> r.consistency().normalisedMeanAbs());
    figure("jerk, predicted over logged", r -> r.jerk().ratio());
    figure("outside the logged range, %", r -> percent(r.outsideLoggedRange().share()));
    figure("inference, median, ms", r -> r.inferenceMillis().p50());
    figure("inference, 99th percentile, ms", r -> r.inferenceMillis().p99());
    figure("batch, mean", EvaluationReport::batchSizeMean);
    figure("control ticks", r -> (double) r.ticks());
    figure("starved ticks", r -> (double) r.starvedTicks());
    page.append("</table></div>");
    difference("Both compute", result.against() == null ? null : result.against().difference());
    difference("The live job and this replay compute", result.againstLog());
  }

  private void figure(String name, Function<EvaluationReport, Double> figure) {
    page.append("<tr><th>").append(escaped(name)).append("</th>");
    page.append("<td>").append(number(figure.apply(result.evaluation()))).append("</td>");
    if (result.against() != null) {
      page.append("<td>")
          .append(number(figure.apply(result.against().evaluation())))
          .append("</td>");
    }
    page.append("</tr>");
  }

  private void difference(String who, ChunkDifference difference) {
    if (difference != null) {
      page.append("<p>")
          .append(who)
          .append(' ')
          .append(count(difference.equal()))
          .append(" of ")
          .append(count(difference.compared()))
          .append(" chunks bit for bit alike; the largest difference is ")
          .append(number(difference.maxAbs()))
          .append(" in robot units.</p>");
    }
  }

  // ------------------------------------------------------------------ charts

  private void horizon() {
    page.append("<h2>Error by step of the horizon</h2>");
    SvgChart chart =
        new SvgChart(720, 260, "normalised error by step of the horizon", "step", "normalised mean")
            .fromZero();
    int colour = 0;
    for (String group : result.evaluation().error().groupSteps().keySet()) {
      add(chart, result.evaluation(), group, group, colour, false);
      if (result.against() != null) {
        add(chart, result.against().evaluation(), group, group + ", against", colour, true);
      }
      colour++;
    }
    page.append(chart.svg());
  }

  private static void add(
      SvgChart chart,
      EvaluationReport report,
      String group,
      String name,
      int colour,
      boolean dashed) {
    List<ErrorFigures> steps = report.error().groupSteps().get(group);
    double[] x = new double[steps.size()];
    double[] y = new double[steps.size()];
    for (int k = 0; k < x.length; k++) {
      Double error = steps.get(k).normalisedMeanAbs();
      x[k] = k;
      y[k] = error == null ? Double.NaN : error;
    }
    chart.line(name, x, y, colour, dashed);
  }

  private void critical() {
    page.append("<h2>Critical intervals</h2><p>Where a wrong action costs most: a gripper opens or")
        .append(" shuts, a joint turns around, the robot goes slowly towards a gripper change.")
        .append(" Aligned: each interval at the shift in time that fits it best.</p>")
        .append("<div class=\"wide\"><table><tr><th></th><th>intervals</th><th>frames</th>")
        .append("<th>normalised</th><th>aligned</th><th>late by, steps</th></tr>");
    critical("", result.evaluation());
    if (result.against() != null) {
      critical(", against", result.against().evaluation());
    }
    page.append("</table></div>");
  }

  private void critical(String suffix, EvaluationReport report) {
    for (Map.Entry<CriticalInterval.Kind, CriticalFigures> kind :
        report.error().critical().entrySet()) {
      CriticalFigures figures = kind.getValue();
      page.append("<tr><th>").append(name(kind.getKey())).append(suffix).append("</th>");
      cell(count(figures.intervals()));
      cell(count(figures.frames()));
      cell(number(figures.error().normalisedMeanAbs()));
      cell(number(figures.alignedNormalisedMeanAbs()));
      cell(number(figures.meanLagSteps()));
      page.append("</tr>");
    }
  }

  private void episodes() {
    List<EpisodeErrors> worst =
        result.evaluation().episodes().stream()
            .sorted(
                Comparator.comparingDouble(
                        (EpisodeErrors e) -> e.normalisedRmse() == null ? 0 : e.normalisedRmse())
                    .reversed())
            .limit(WORST_EPISODES)
            .toList();
    page.append("<h2>Worst episodes</h2><p>The normalised rms of each step's chunk. Shaded:")
        .append(" critical intervals.</p><div class=\"two\">");
    for (EpisodeErrors episode : worst) {
      page.append("<figure><figcaption>episode ")
          .append(episode.episode())
          .append(": ")
          .append(escaped(episode.task()))
          .append("</figcaption>");
      SvgChart chart =
          new SvgChart(480, 190, "error along episode " + episode.episode(), "frame", "rms")
              .fromZero();
      add(chart, episode, "policy", 0, false);
      if (result.against() != null) {
        result.against().evaluation().episodes().stream()
            .filter(other -> other.episode() == episode.episode())
            .forEach(other -> add(chart, other, "against", 1, true));
      }
      episode.critical().forEach(interval -> chart.shade(interval.from(), interval.to()));
      page.append(chart.svg()).append("</figure>");
    }
    page.append("</div>");
  }

  private static void add(
      SvgChart chart, EpisodeErrors episode, String name, int colour, boolean dashed) {
    double[] x = new double[episode.frames().length];
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      x[i] = episode.frames()[i];
      y[i] = episode.errors()[i];
    }
    chart.line(name, x, y, colour, dashed);
  }

  // ------------------------------------------------------------------ worst moments

  private void worst() {
    page.append("<h2>Worst moments</h2><p>What the policy was shown, and what it wanted (solid)")
        .append(" against what was done (dashed).</p>");
    for (Moment moment : result.evaluation().worst()) {
      page.append("<section class=\"moment\"><div>");
      String data = Base64.getEncoder().encodeToString(FramePicture.png(frames(moment)));
      page.append("<img alt=\"the cameras' frames\" src=\"data:image/png;base64,")
          .append(data)
          .append("\"><p><b>episode ")
          .append(moment.episode())
          .append(", frame ")
          .append(moment.frame())
          .append("</b><br>")
          .append(escaped(moment.task()))
          .append("<br>normalised rms ")
          .append(number(moment.normalisedRmse()))
          .append("<br>")
          .append(escaped(moment.dimension()))
          .append(": predicted ")
          .append(number((double) moment.predicted()))
          .append(", logged ")
          .append(number((double) moment.logged()))
          .append(", ")
          .append(moment.step())
          .append(" steps ahead");
      for (CriticalInterval.Kind kind : moment.critical()) {
        page.append("<br><em>").append(name(kind)).append("</em>");
      }
      page.append("</p></div><div class=\"charts\">");
      List<String> names = List.copyOf(result.evaluation().error().dimensions().keySet());
      for (int d = 0; d < moment.chunk().dimensions(); d++) {
        page.append("<figure><figcaption>")
            .append(escaped(names.get(d)))
            .append("</figcaption>")
            .append(chart(moment, d, names.get(d)))
            .append("</figure>");
      }
      page.append("</div></section>");
    }
  }

  private static String chart(Moment moment, int d, String name) {
    double[] x = new double[moment.chunk().horizon()];
    double[] y = new double[x.length];
    for (int k = 0; k < x.length; k++) {
      x[k] = k;
      y[k] = moment.chunk().at(k, d);
    }
    double[] logged = new double[moment.log().size()];
    double[] steps = new double[logged.length];
    for (int k = 0; k < logged.length; k++) {
      steps[k] = k;
      logged[k] = moment.log().get(k)[d];
    }
    String svg =
        new SvgChart(300, 130, name + " predicted and logged", "step", "")
            .line("predicted", x, y, 0, false)
            .line("logged", steps, logged, 1, true)
            .svg();
    // The text above says which line is which.
    return svg.substring(0, svg.indexOf("</svg>") + "</svg>".length());
  }

  private List<Frame> frames(Moment moment) {
    Episode episode =
        dataset.episodes().stream()
            .filter(e -> e.index() == moment.episode())
            .findFirst()
            .orElseThrow();
    StepRange step = new StepRange(moment.frame(), moment.frame() + 1, 1);
    try (EpisodeReader reader = dataset.read(episode, cameras.datasetCameras(), step)) {
      return new ArrayList<>(reader.next().frames().values());
    }
  }

  private void skipped() {
    if (!result.skippedEpisodes().isEmpty()) {
      page.append("<h2>Skipped episodes</h2><table>");
      result
          .skippedEpisodes()
          .forEach(skipped -> row(Integer.toString(skipped.episode()), skipped.reason()));
      page.append("</table>");
    }
  }

  // ------------------------------------------------------------------ texts

  private void cell(String text) {
    page.append("<td>").append(text).append("</td>");
  }

  private static String name(CriticalInterval.Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static Double percent(Double share) {
    return share == null ? null : 100 * share;
  }

  private static String count(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  private static String decimal(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  private static String number(Double value) {
    if (value == null) {
      return DASH;
    }
    return value == Math.rint(value) && Math.abs(value) < 1e9
        ? String.format(Locale.ROOT, "%,d", value.longValue())
        : String.format(Locale.ROOT, "%.4g", value);
  }
}
