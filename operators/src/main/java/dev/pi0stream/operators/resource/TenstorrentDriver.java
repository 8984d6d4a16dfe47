package dev.pi0stream.operators.resource;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.apache.flink.api.common.externalresource.ExternalResourceDriver;
import org.apache.flink.util.FlinkException;

/**
 * The Tenstorrent cards of this machine: tt-kmd makes a file {@code /dev/tenstorrent/N} of each.
 */
public final class TenstorrentDriver implements ExternalResourceDriver {
  private final Path directory;

  /** Looks for cards in a directory. */
  TenstorrentDriver(Path directory) {
    this.directory = directory;
  }

  /**
   * The first cards of this machine.
   *
   * @throws FlinkException when there are fewer
   */
  @Override
  public Set<DeviceInfo> retrieveResourceInfo(long amount) throws FlinkException {
    SortedSet<Integer> cards = cards();
    if (cards.size() < amount) {
      throw new FlinkException(
          "%s has the cards %s: expected %d for this TaskManager"
              .formatted(directory, cards, amount));
    }
    Set<DeviceInfo> chosen = new LinkedHashSet<>();
    cards.stream().limit(amount).forEach(card -> chosen.add(new DeviceInfo("tt", card)));
    return chosen;
  }

  private SortedSet<Integer> cards() throws FlinkException {
    SortedSet<Integer> cards = new TreeSet<>();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(
            directory, file -> file.getFileName().toString().matches("\\d{1,6}"))) {
      for (Path file : files) {
        cards.add(Integer.valueOf(file.getFileName().toString()));
      }
    } catch (NoSuchFileException | NotDirectoryException e) {
      throw new FlinkException(
          "%s is no directory: expected one with a file for each card; is tt-kmd loaded?"
              .formatted(directory),
          e);
    } catch (IOException e) {
      throw new FlinkException("%s cannot be read: %s".formatted(directory, e.getMessage()), e);
    }
    return cards;
  }
}
