package dev.pi0stream.job.replay;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A chart of lines or bars as SVG text for a page that defines the colours {@code --s0} … {@code
 * --s5}, {@code --axis} and {@code --shade}.
 */
final class SvgChart {
  private static final int COLOURS = 6;
  private static final int LEFT = 52;
  private static final int RIGHT = 10;
  private static final int TOP = 8;
  private static final int BOTTOM = 34;
  private static final int TICKS = 4;

  private final int width;
  private final int height;
  private final String title;
  private final String xLabel;
  private final String yLabel;
  private final List<Line> lines = new ArrayList<>();
  private final List<double[]> shades = new ArrayList<>();
  private double maxX = Double.NEGATIVE_INFINITY;
  private double minX = Double.POSITIVE_INFINITY;
  private double maxY = Double.NEGATIVE_INFINITY;
  private double minY = Double.POSITIVE_INFINITY;

  /**
   * An empty chart.
   *
   * @param title said to those who do not see it
   */
  SvgChart(int width, int height, String title, String xLabel, String yLabel) {
    this.width = width;
    this.height = height;
    this.title = title;
    this.xLabel = xLabel;
    this.yLabel = yLabel;
  }

  private record Line(String name, double[] x, double[] y, int colour, boolean dashed) {}

  /** Lets the vertical axis begin at zero. */
  SvgChart fromZero() {
    minY = Math.min(minY, 0);
    maxY = Math.max(maxY, 0);
    return this;
  }

  /** Adds a line; numbers that are not finite interrupt it. */
  SvgChart line(String name, double[] x, double[] y, int colour, boolean dashed) {
    lines.add(new Line(name, x.clone(), y.clone(), colour % COLOURS, dashed));
    for (double value : x) {
      minX = Math.min(minX, value);
      maxX = Math.max(maxX, value);
    }
    for (double value : y) {
      if (Double.isFinite(value)) {
        minY = Math.min(minY, value);
        maxY = Math.max(maxY, value);
      }
    }
    return this;
  }

  /** Shades a range of the horizontal axis. */
  SvgChart shade(double from, double to) {
    shades.add(new double[] {from, to});
    return this;
  }

  /** The chart. */
  String svg() {
    if (lines.isEmpty() || !(maxX >= minX) || !(maxY >= minY)) {
      return "<p>nothing to draw</p>";
    }
    double step = niceStep((maxY - minY) / TICKS);
    double bottom = Math.floor(minY / step) * step;
    double top = Math.max(bottom + step, Math.ceil(maxY / step) * step);
    StringBuilder svg = new StringBuilder();
    svg.append(
        String.format(
            Locale.ROOT,
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">",
            width,
            height,
            escaped(title)));
    for (double[] shade : shades) {
      double from = x(Math.max(minX, shade[0]));
      double to = x(Math.min(maxX, shade[1]));
      svg.append(
          String.format(
              Locale.ROOT,
              "<rect class=\"shade\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>",
              from,
              TOP,
              Math.max(1, to - from),
              height - TOP - BOTTOM));
    }
    for (double tick = bottom; tick <= top + step / 2; tick += step) {
      double y = y(tick, bottom, top);
      svg.append(
          String.format(
              Locale.ROOT,
              "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>",
              LEFT,
              width - RIGHT,
              y,
              y));
      svg.append(
          String.format(
              Locale.ROOT,
              "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
              LEFT - 5,
              y + 3.5,
              number(tick, step)));
    }
    double across = Math.max(1, niceStep((maxX - minX) / 8));
    for (double tick = Math.ceil(minX / across) * across; tick <= maxX; tick += across) {
      svg.append(
          String.format(
              Locale.ROOT,
              "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
              x(tick),
              height - BOTTOM + 14,
              number(tick, across)));
    }
    svg.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>",
            (LEFT + width - RIGHT) / 2,
            height - 5,
            escaped(xLabel)));
    svg.append(
        String.format(
            Locale.ROOT,
            "<text transform=\"translate(11 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>",
            (TOP + height - BOTTOM) / 2,
            escaped(yLabel)));
    for (Line line : lines) {
      svg.append(
          String.format(
              Locale.ROOT,
              "<path class=\"line s%d%s\" d=\"%s\"><title>%s</title></path>",
              line.colour,
              line.dashed ? " dashed" : "",
              path(line, bottom, top),
              escaped(line.name)));
    }
    return svg.append("</svg>").append(legend()).toString();
  }

  private String legend() {
    if (lines.size() < 2) {
      return "";
    }
    StringBuilder legend = new StringBuilder("<div class=\"legend\">");
    for (Line line : lines) {
      legend.append(
          String.format(
              Locale.ROOT,
              "<span><i class=\"key s%d%s\"></i>%s</span>",
              line.colour,
              line.dashed ? " dashed" : "",
              escaped(line.name)));
    }
    return legend.append("</div>").toString();
  }

  private String path(Line line, double bottom, double top) {
    StringBuilder path = new StringBuilder();
    boolean drawing = false;
    for (int i = 0; i < line.x.length; i++) {
      if (Double.isFinite(line.y[i])) {
        path.append(
            String.format(
                Locale.ROOT,
                "%s%.1f %.1f",
                drawing ? "L" : "M",
                x(line.x[i]),
                y(line.y[i], bottom, top)));
        drawing = true;
      } else {
        drawing = false;
      }
    }
    return path.toString();
  }

  private double x(double value) {
    double range = maxX > minX ? maxX - minX : 1;
    return LEFT + (value - minX) / range * (width - LEFT - RIGHT);
  }

  private double y(double value, double bottom, double top) {
    return height - BOTTOM - (value - bottom) / (top - bottom) * (height - TOP - BOTTOM);
  }

  /** 1, 2 or 5 times a power of ten, not below a step. */
  private static double niceStep(double step) {
    if (!(step > 0)) {
      return 1;
    }
    double power = Math.pow(10, Math.floor(Math.log10(step)));
    for (double factor : new double[] {1, 2, 5}) {
      if (step <= factor * power * (1 + 1e-9)) {
        return factor * power;
      }
    }
    return 10 * power;
  }

  private static String number(double value, double step) {
    int digits = Math.max(0, (int) -Math.floor(Math.log10(step) + 1e-9));
    // No minus before a zero that is only rounded.
    return String.format(Locale.ROOT, "%." + digits + "f", Math.abs(value) < step / 2 ? 0 : value);
  }

  /** A text inside HTML. */
  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }
}
