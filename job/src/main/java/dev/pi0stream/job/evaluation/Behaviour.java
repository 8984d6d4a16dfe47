package dev.pi0stream.job.evaluation;

import dev.pi0stream.job.evaluation.EvaluationReport.Jerk;
import dev.pi0stream.job.evaluation.EvaluationReport.Outside;
import dev.pi0stream.job.evaluation.EvaluationReport.Spread;
import java.util.List;

/** What chunks are like among themselves, whatever was logged for their steps. */
final class Behaviour {
  private static final int ORDER = 3;

  /** A number that is beyond by less than this share of the logged range is not outside. */
  private static final double SLACK = 0.01;

  private static final double MILLIS_PER_SECOND = 1e3;

  private final LoggedMotion motion;
  private final double fps;
  private final int samples;

  private final ErrorSum consistency = new ErrorSum();
  private final Percentiles spreads = new Percentiles();
  private final Percentiles inference = new Percentiles();
  private double spreadSum;
  private double predictedJerk;
  private long predictedJerks;
  private double loggedJerk;
  private long loggedJerks;
  private long numbers;
  private long outside;
  private double worstExcess;
  private long ticks;
  private long starved;
  private double batches;

  Behaviour(LoggedMotion motion, double fps, int samples) {
    this.motion = motion;
    this.fps = fps;
    this.samples = samples;
  }

  /** Takes an episode's chunks, by frame and sample. */
  void add(LoggedEpisode episode, List<Prediction> ordered, int end) {
    for (Prediction chunk : ordered) {
      inference.add(chunk.inferenceSeconds());
      batches += 1.0 / chunk.batchSize();
      addRange(chunk);
      addJerk(episode, chunk);
    }
    for (int sample = 0; sample < samples; sample++) {
      int wanted = sample;
      List<Prediction> ofSample = ordered.stream().filter(c -> c.sample() == wanted).toList();
      for (int i = 1; i < ofSample.size(); i++) {
        addOverlap(ofSample.get(i - 1), ofSample.get(i));
      }
      if (sample == 0) {
        Starvation starvation = Starvation.of(ofSample, Math.min(end, episode.length()), fps);
        ticks += starvation.ticks();
        starved += starvation.starved();
      }
    }
    for (int first = 0; first < ordered.size(); ) {
      int beyond = first;
      while (beyond < ordered.size() && ordered.get(beyond).frame() == ordered.get(first).frame()) {
        beyond++;
      }
      if (beyond - first > 1) {
        addSpread(ordered.subList(first, beyond));
      }
      first = beyond;
    }
  }

  private void addRange(Prediction chunk) {
    for (int k = 0; k < chunk.horizon(); k++) {
      for (int d = 0; d < chunk.dimensions(); d++) {
        float value = chunk.at(k, d);
        double beyond = Math.max(value - motion.max(d), motion.min(d) - value);
        double range = motion.max(d) - motion.min(d);
        numbers++;
        if (beyond > SLACK * range) {
          outside++;
          if (range > 0) {
            worstExcess = Math.max(worstExcess, beyond / range);
          }
        }
      }
    }
  }

  private void addJerk(LoggedEpisode episode, Prediction chunk) {
    for (int k = 0; k + ORDER < chunk.horizon(); k++) {
      for (int d = 0; d < chunk.dimensions(); d++) {
        if (motion.deviation(d) > 0) {
          double jerk =
              jerk(chunk.at(k, d), chunk.at(k + 1, d), chunk.at(k + 2, d), chunk.at(k + 3, d));
          predictedJerk += jerk * jerk / (motion.deviation(d) * motion.deviation(d));
          predictedJerks++;
        }
      }
    }
    // Each logged action once: with the chunk that begins there.
    int t = chunk.frame();
    if (chunk.sample() == 0 && t + ORDER < episode.length()) {
      List<float[]> log = episode.actions();
      for (int d = 0; d < chunk.dimensions(); d++) {
        if (motion.deviation(d) > 0) {
          double jerk =
              jerk(log.get(t)[d], log.get(t + 1)[d], log.get(t + 2)[d], log.get(t + 3)[d]);
          loggedJerk += jerk * jerk / (motion.deviation(d) * motion.deviation(d));
          loggedJerks++;
        }
      }
    }
  }

  private double jerk(double a, double b, double c, double d) {
    return (d - 3 * c + 3 * b - a) * fps * fps * fps;
  }

  private void addOverlap(Prediction earlier, Prediction later) {
    int shift = later.frame() - earlier.frame();
    for (int k = 0; k + shift < earlier.horizon() && k < later.horizon(); k++) {
      for (int d = 0; d < later.dimensions(); d++) {
        consistency.add((double) earlier.at(k + shift, d) - later.at(k, d), motion.deviation(d));
      }
    }
  }

  private void addSpread(List<Prediction> ofFrame) {
    double sum = 0;
    long count = 0;
    Prediction first = ofFrame.getFirst();
    for (int k = 0; k < first.horizon(); k++) {
      for (int d = 0; d < first.dimensions(); d++) {
        if (motion.deviation(d) > 0) {
          double mean = 0;
          for (Prediction chunk : ofFrame) {
            mean += chunk.at(k, d) / (double) ofFrame.size();
          }
          double squares = 0;
          for (Prediction chunk : ofFrame) {
            squares += (chunk.at(k, d) - mean) * (chunk.at(k, d) - mean);
          }
          sum += Math.sqrt(squares / (ofFrame.size() - 1)) / motion.deviation(d);
          count++;
        }
      }
    }
    if (count > 0) {
      spreads.add(sum / count);
      spreadSum += sum / count;
    }
  }

  Spread spread() {
    return samples < 2
        ? null
        : new Spread(
            samples, spreads.size() == 0 ? null : spreadSum / spreads.size(), spreads.at(0.95));
  }

  ErrorFigures consistency() {
    return consistency.figures();
  }

  Jerk jerk() {
    Double predicted = predictedJerks == 0 ? null : Math.sqrt(predictedJerk / predictedJerks);
    Double logged = loggedJerks == 0 ? null : Math.sqrt(loggedJerk / loggedJerks);
    return new Jerk(
        predicted,
        logged,
        predicted == null || logged == null || logged == 0 ? null : predicted / logged);
  }

  Outside outside() {
    return new Outside(numbers == 0 ? null : (double) outside / numbers, worstExcess);
  }

  long ticks() {
    return ticks;
  }

  long starvedTicks() {
    return starved;
  }

  Ranks inferenceMillis() {
    return Ranks.of(inference, MILLIS_PER_SECOND);
  }

  Double batchSizeMean() {
    return batches == 0 ? null : inference.size() / batches;
  }
}
