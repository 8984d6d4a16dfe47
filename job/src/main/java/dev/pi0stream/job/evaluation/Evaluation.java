package dev.pi0stream.job.evaluation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Compares chunks with a log, episode after episode; keeps sums and one number for each step. */
public final class Evaluation {
  private static final int WORST = 12;
  private static final int WORST_OF_EPISODE = 3;

  private final LoggedMotion motion;
  private final List<String> names;
  private final List<JointGroup> groups;
  private final double fps;
  private final int samples;

  private final ErrorSum all = new ErrorSum();
  private final List<ErrorSum> dimensions = new ArrayList<>();
  private final List<ErrorSum> steps = new ArrayList<>();
  private final List<List<ErrorSum>> groupSteps = new ArrayList<>();
  private final List<ErrorSum> groupSums = new ArrayList<>();
  private final Map<CriticalInterval.Kind, CriticalFigures.Sum> critical =
      new EnumMap<>(CriticalInterval.Kind.class);
  private final Percentiles chunkErrors = new Percentiles();
  private final Behaviour behaviour;
  private final List<Moment> worst = new ArrayList<>();
  private final List<EpisodeErrors> episodes = new ArrayList<>();

  /**
   * An evaluation without chunks.
   *
   * @param motion of the whole log
   * @param names of the action's numbers; made up where the log has none
   * @param fps steps in a second
   * @param samples noise samples of each step
   */
  public Evaluation(
      LoggedMotion motion, List<String> names, List<JointGroup> groups, double fps, int samples) {
    this.motion = motion;
    this.names = List.copyOf(names);
    this.groups = List.copyOf(groups);
    this.fps = fps;
    this.samples = samples;
    behaviour = new Behaviour(motion, fps, samples);
    for (int d = 0; d < motion.dimensions(); d++) {
      dimensions.add(new ErrorSum());
    }
    for (int g = 0; g < groups.size(); g++) {
      groupSums.add(new ErrorSum());
      groupSteps.add(new ArrayList<>());
    }
    for (CriticalInterval.Kind kind : CriticalInterval.Kind.values()) {
      critical.put(kind, new CriticalFigures.Sum());
    }
  }

  /**
   * Takes an episode.
   *
   * @param predictions its chunks, in any order
   * @param end beyond the last step that was to be asked
   */
  public void add(LoggedEpisode episode, List<Prediction> predictions, int end) {
    if (predictions.isEmpty()) {
      return;
    }
    List<Prediction> ordered =
        predictions.stream()
            .sorted(Comparator.comparingInt(Prediction::frame).thenComparingInt(Prediction::sample))
            .toList();
    ErrorSum ofEpisode = new ErrorSum();
    SortedMap<Integer, ErrorSum> ofFrames = new TreeMap<>();
    for (Prediction chunk : ordered) {
      ErrorSum ofChunk = new ErrorSum();
      compare(episode, chunk, ofEpisode, ofChunk);
      compareInto(episode, chunk, ofFrames.computeIfAbsent(chunk.frame(), _ -> new ErrorSum()));
      Double error = ofChunk.figures().normalisedRmse();
      if (error != null) {
        chunkErrors.add(error);
      }
    }
    List<CriticalInterval> intervals = CriticalInterval.of(episode, motion, groups, fps);
    for (CriticalInterval interval : intervals) {
      add(episode, ordered, interval);
    }
    behaviour.add(episode, ordered, end);
    EpisodeErrors errors = errors(episode, ofEpisode, ofFrames, intervals);
    episodes.add(errors);
    rank(episode, ordered, errors);
  }

  /** What was found. */
  public EvaluationReport report() {
    Map<String, ErrorFigures> byDimension = new LinkedHashMap<>();
    for (int d = 0; d < dimensions.size(); d++) {
      byDimension.put(names.get(d), dimensions.get(d).figures());
    }
    Map<String, ErrorFigures> byGroup = new LinkedHashMap<>();
    Map<String, List<ErrorFigures>> byGroupAndStep = new LinkedHashMap<>();
    for (int g = 0; g < groups.size(); g++) {
      byGroup.put(groups.get(g).name(), groupSums.get(g).figures());
      byGroupAndStep.put(groups.get(g).name(), figures(groupSteps.get(g)));
    }
    Map<CriticalInterval.Kind, CriticalFigures> byKind = new EnumMap<>(CriticalInterval.Kind.class);
    critical.forEach((kind, sum) -> byKind.put(kind, sum.figures()));
    return new EvaluationReport(
        new ErrorReport(
            all.figures(),
            Ranks.of(chunkErrors, 1),
            byGroup,
            byDimension,
            figures(steps),
            byGroupAndStep,
            byKind),
        behaviour.spread(),
        behaviour.consistency(),
        behaviour.jerk(),
        behaviour.outside(),
        behaviour.ticks(),
        behaviour.starvedTicks(),
        behaviour.inferenceMillis(),
        behaviour.batchSizeMean(),
        List.copyOf(worst),
        List.copyOf(episodes));
  }

  private static List<ErrorFigures> figures(List<ErrorSum> sums) {
    return sums.stream().map(ErrorSum::figures).toList();
  }

  private void compare(
      LoggedEpisode episode, Prediction chunk, ErrorSum ofEpisode, ErrorSum ofChunk) {
    int horizon = compared(episode, chunk);
    while (steps.size() < chunk.horizon()) {
      steps.add(new ErrorSum());
      groupSteps.forEach(sums -> sums.add(new ErrorSum()));
    }
    for (int k = 0; k < horizon; k++) {
      float[] logged = episode.actions().get(chunk.frame() + k);
      for (int g = 0; g < groups.size(); g++) {
        for (int d : groups.get(g).dimensions()) {
          double difference = (double) chunk.at(k, d) - logged[d];
          double scale = motion.deviation(d);
          all.add(difference, scale);
          ofEpisode.add(difference, scale);
          ofChunk.add(difference, scale);
          dimensions.get(d).add(difference, scale);
          steps.get(k).add(difference, scale);
          groupSums.get(g).add(difference, scale);
          groupSteps.get(g).get(k).add(difference, scale);
        }
      }
    }
  }

  private void compareInto(LoggedEpisode episode, Prediction chunk, ErrorSum sum) {
    int horizon = compared(episode, chunk);
    for (int k = 0; k < horizon; k++) {
      float[] logged = episode.actions().get(chunk.frame() + k);
      for (int d = 0; d < chunk.dimensions(); d++) {
        sum.add((double) chunk.at(k, d) - logged[d], motion.deviation(d));
      }
    }
  }

  /** How many actions of a chunk lie within its episode. */
  private static int compared(LoggedEpisode episode, Prediction chunk) {
    return Math.min(chunk.horizon(), episode.length() - chunk.frame());
  }

  private void add(LoggedEpisode episode, List<Prediction> ordered, CriticalInterval interval) {
    List<Prediction> inside =
        ordered.stream()
            .filter(chunk -> chunk.frame() >= interval.from() && chunk.frame() <= interval.to())
            .toList();
    CriticalFigures.Sum sum = critical.get(interval.kind());
    inside.forEach(chunk -> compareInto(episode, chunk, sum.errors()));
    sum.interval(inside.size() / samples, Alignment.of(episode, inside, motion, fps));
  }

  private static EpisodeErrors errors(
      LoggedEpisode episode,
      ErrorSum ofEpisode,
      SortedMap<Integer, ErrorSum> ofFrames,
      List<CriticalInterval> intervals) {
    int[] frames = new int[ofFrames.size()];
    float[] errors = new float[frames.length];
    int i = 0;
    for (Map.Entry<Integer, ErrorSum> frame : ofFrames.entrySet()) {
      Double error = frame.getValue().figures().normalisedRmse();
      frames[i] = frame.getKey();
      errors[i++] = error == null ? 0 : error.floatValue();
    }
    ErrorFigures figures = ofEpisode.figures();
    return new EpisodeErrors(
        episode.index(),
        episode.tasks().getFirst(),
        episode.length(),
        figures.normalisedRmse(),
        figures.meanAbs(),
        frames,
        errors,
        intervals);
  }

  /** Puts the worst steps of an episode among the worst of all, none close to another. */
  private void rank(LoggedEpisode episode, List<Prediction> ordered, EpisodeErrors errors) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < errors.frames().length; i++) {
      order.add(i);
    }
    order.sort(Comparator.comparingDouble((Integer i) -> errors.errors()[i]).reversed());
    int apart = Math.max(1, (int) Math.round(fps));
    List<Integer> taken = new ArrayList<>();
    for (int i : order) {
      int frame = errors.frames()[i];
      if (taken.size() < WORST_OF_EPISODE
          && taken.stream().noneMatch(other -> Math.abs(other - frame) < apart)) {
        taken.add(frame);
        Prediction chunk =
            ordered.stream().filter(c -> c.frame() == frame).findFirst().orElseThrow();
        worst.add(moment(episode, chunk, errors.errors()[i], errors.critical()));
      }
    }
    worst.sort(Comparator.comparingDouble(Moment::normalisedRmse).reversed());
    while (worst.size() > WORST) {
      worst.removeLast();
    }
  }

  private Moment moment(
      LoggedEpisode episode, Prediction chunk, double error, List<CriticalInterval> intervals) {
    int horizon = compared(episode, chunk);
    int worstStep = 0;
    int worstDimension = 0;
    double worstDifference = -1;
    for (int k = 0; k < horizon; k++) {
      float[] logged = episode.actions().get(chunk.frame() + k);
      for (int d = 0; d < chunk.dimensions(); d++) {
        double scale = motion.deviation(d);
        double difference = scale > 0 ? Math.abs((double) chunk.at(k, d) - logged[d]) / scale : 0;
        if (difference > worstDifference) {
          worstDifference = difference;
          worstStep = k;
          worstDimension = d;
        }
      }
    }
    return new Moment(
        episode.index(),
        chunk.frame(),
        episode.tasks().get(chunk.frame()),
        error,
        worstStep,
        names.get(worstDimension),
        chunk.at(worstStep, worstDimension),
        episode.actions().get(chunk.frame() + worstStep)[worstDimension],
        intervals.stream()
            .filter(i -> chunk.frame() >= i.from() && chunk.frame() <= i.to())
            .map(CriticalInterval::kind)
            .distinct()
            .toList(),
        chunk,
        episode.actions().subList(chunk.frame(), chunk.frame() + horizon));
  }
}
