package dev.pi0stream.job.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.pi0stream.job.replay.FramePicture;
import dev.pi0stream.model.image.Frame;
import dev.pi0stream.operators.dataset.DatasetCheck;
import dev.pi0stream.operators.dataset.DatasetException;
import dev.pi0stream.operators.dataset.Episode;
import dev.pi0stream.operators.dataset.EpisodeReader;
import dev.pi0stream.operators.dataset.Feature;
import dev.pi0stream.operators.dataset.LeRobotDataset;
import dev.pi0stream.operators.dataset.Step;
import dev.pi0stream.operators.dataset.StepRange;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pi0 dataset}: what is in a dataset, and whether it is whole. */
@Command(
    name = "dataset",
    mixinStandardHelpOptions = true,
    description = {
      "Describes a LeRobot dataset (v3.0 or v2.1) and looks whether it is whole: every row, and of"
          + " every video the first and last frame of each episode.",
      "With --index it shows one frame: state, action, instruction and pictures."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:the dataset is whole, or the frame was shown",
      "1:an episode is not whole",
      "2:there is no such dataset or frame, or an option is wrong"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pi0 dataset examples/episodes",
      "  pi0 dataset examples/episodes --decode",
      "  pi0 dataset examples/episodes --index 25 --out frame.png",
      "  pi0 dataset examples/episodes --index 25 --camera top --out top.png --json frame.json"
    })
final class DatasetCommand implements Callable<Integer> {
  private static final int BROKEN = 1;

  @Spec private CommandSpec spec;
  @Mixin private CommonOptions common;

  @Parameters(paramLabel = "DIR", description = "The dataset's directory.")
  private Path directory;

  @Option(
      names = "--index",
      paramLabel = "I",
      description = "Show the frame of this number, counted over the whole dataset.")
  private Long index;

  @Option(
      names = "--out",
      paramLabel = "FRAME.png",
      description =
          "Write the pictures of the frame to this PNG file, unchanged; those of several cameras"
              + " side by side, in the dataset's order.")
  private Path picture;

  @Option(
      names = "--camera",
      paramLabel = "NAME",
      description = "Only this camera, without observation.images.; may be given several times.")
  private List<String> cameras = List.of();

  @Option(names = "--decode", description = "Look at every frame, not only the ends of episodes.")
  private boolean decode;

  @Override
  public Integer call() throws IOException {
    if (index == null && (picture != null || !cameras.isEmpty())) {
      throw new CommandException(
          CommandLine.ExitCode.USAGE, "--out and --camera need an --index", null);
    }
    try (LeRobotDataset dataset = LeRobotDataset.openWithDefects(directory)) {
      return index == null ? describe(dataset) : show(dataset);
    } catch (DatasetException e) {
      throw new CommandException(CommandLine.ExitCode.USAGE, e.getMessage(), e);
    }
  }

  /**
   * What is in a dataset; written as JSON with these names.
   *
   * @param tasks the instructions by number
   * @param defects what is wrong, by the episode's number
   */
  record Description(
      String version,
      double fps,
      int episodes,
      long frames,
      List<Integer> lengths,
      Collection<Feature> features,
      Map<Long, String> tasks,
      boolean whole,
      Map<Integer, String> defects) {}

  private int describe(LeRobotDataset dataset) {
    Map<Integer, String> defects =
        DatasetCheck.defects(dataset, decode ? DatasetCheck.Depth.ALL : DatasetCheck.Depth.ENDS);
    List<Integer> lengths = dataset.episodes().stream().map(Episode::length).toList();
    Description description =
        new Description(
            dataset.version(),
            dataset.fps(),
            lengths.size(),
            lengths.stream().mapToLong(Integer::longValue).sum(),
            lengths,
            dataset.features().values(),
            new TreeMap<>(dataset.tasks()),
            defects.isEmpty(),
            defects);
    print(description, spec.commandLine().getOut());
    common.write(description);
    if (!defects.isEmpty()) {
      throw new CommandException(
          BROKEN,
          "%d of %d episodes are not whole; the first: %s"
              .formatted(defects.size(), lengths.size(), defects.values().iterator().next()),
          null);
    }
    return CommandLine.ExitCode.OK;
  }

  private static void print(Description description, PrintWriter out) {
    out.printf("version     %s%n", description.version());
    out.printf(
        "episodes    %d with %,d frames, %s to %s long, %s frames a second%n",
        description.episodes(),
        description.frames(),
        description.lengths().stream().min(Integer::compare).orElseThrow(),
        description.lengths().stream().max(Integer::compare).orElseThrow(),
        description.fps());
    for (Feature feature : description.features()) {
      out.printf(
          "feature     %-32s %-8s %s%s%n",
          feature.key(),
          feature.dtype(),
          feature.shape(),
          feature.names().isEmpty() ? "" : " " + feature.names());
    }
    description.tasks().forEach((number, task) -> out.printf("task        %d: %s%n", number, task));
    description
        .defects()
        .forEach((episode, reason) -> out.printf("episode     %d: %s%n", episode, reason));
    if (description.whole()) {
      out.println("whole       yes");
    }
    out.flush();
  }

  /**
   * One frame; written as JSON with these names.
   *
   * @param timestamp seconds since the episode's start
   * @param pictures width and height by camera
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Shown(
      long index,
      int episode,
      int frame,
      double timestamp,
      String task,
      float[] state,
      float[] action,
      Map<String, int[]> pictures) {}

  private int show(LeRobotDataset dataset) throws IOException {
    Episode episode =
        dataset
            .episodeAt(index)
            .orElseThrow(
                () ->
                    new DatasetException(
                        "%s has no frame %d; it has %d"
                            .formatted(
                                directory,
                                index,
                                dataset.episodes().stream().mapToLong(Episode::length).sum())));
    int frame = Math.toIntExact(index - episode.firstIndex());
    Step step;
    try (EpisodeReader reader =
        dataset.read(
            episode,
            cameras.isEmpty() ? dataset.cameras() : cameras,
            new StepRange(frame, frame + 1, 1))) {
      step = reader.next();
    }
    Map<String, int[]> pictures = new LinkedHashMap<>();
    step.frames().forEach((camera, f) -> pictures.put(camera, new int[] {f.width(), f.height()}));
    Shown shown =
        new Shown(
            step.index(),
            episode.index(),
            step.frameIndex(),
            step.timestamp(),
            step.task(),
            step.state(),
            step.action(),
            pictures);
    if (picture != null) {
      write(List.copyOf(step.frames().values()));
    }
    print(shown, dataset, spec.commandLine().getOut());
    common.write(shown);
    return CommandLine.ExitCode.OK;
  }

  private void write(List<Frame> frames) throws IOException {
    if (frames.isEmpty()) {
      throw new DatasetException(directory + " has no camera, so that there is no picture");
    }
    Path file = picture.toAbsolutePath();
    Files.createDirectories(file.getParent());
    Files.write(file, FramePicture.png(frames));
  }

  private void print(Shown shown, LeRobotDataset dataset, PrintWriter out) {
    out.printf(
        "frame       %d: frame %d of episode %d, at %s s%n",
        shown.index(), shown.frame(), shown.episode(), shown.timestamp());
    out.printf("task        %s%n", shown.task());
    out.printf("state       %s%n", numbers(dataset.stateNames(), shown.state()));
    out.printf("action      %s%n", numbers(dataset.actionNames(), shown.action()));
    shown
        .pictures()
        .forEach(
            (camera, size) -> out.printf("camera      %s, %d × %d%n", camera, size[0], size[1]));
    if (picture != null) {
      out.printf("pictures    %s%n", picture);
    }
    out.flush();
  }

  private static String numbers(List<String> names, float[] values) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < values.length; i++) {
      text.append(i == 0 ? "" : ", ");
      if (names.size() == values.length) {
        text.append(names.get(i)).append(' ');
      }
      text.append(values[i]);
    }
    return text.toString();
  }
}
