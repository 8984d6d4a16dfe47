package dev.pi0stream.device.tt;

import dev.pi0stream.device.tt.HostInput.Place;
import dev.pi0stream.device.tt.ttnn.DramFullException;
import dev.pi0stream.device.tt.ttnn.MeshDevice;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Room for what lives on while traces are replayed: results of stages, and what is kept of them. A
 * replay writes wherever the recorded operations wrote, so such room has to be there before a trace
 * is captured: it is made in growing numbers, and used again when its users have closed it.
 */
final class Storage {
  /** For so many rooms there are, one more is made at a time. */
  private static final int GROWTH = 4;

  private final MeshDevice chip;
  private final Map<Place, List<TtnnTensor>> rooms = new HashMap<>();

  Storage(MeshDevice chip) {
    this.chip = chip;
  }

  /** Room that nobody uses, of which the caller is an owner. */
  TtnnTensor take(Place place) {
    List<TtnnTensor> known = rooms.computeIfAbsent(place, _ -> new ArrayList<>());
    for (TtnnTensor room : known) {
      if (isIdle(room)) {
        return room.share();
      }
    }
    int more = 1 + known.size() / GROWTH;
    for (int i = 0; i < more; i++) {
      known.add(allocate(place));
    }
    return known.getLast().share();
  }

  private TtnnTensor allocate(Place place) {
    try {
      return chip.empty(place.shape(), place.type(), place.layout());
    } catch (DramFullException e) {
      if (giveBackIdle() == 0) {
        throw e;
      }
      return chip.empty(place.shape(), place.type(), place.layout());
    }
  }

  /** Gives back what nobody uses, and tells how many bytes these were. */
  long giveBackIdle() {
    long bytes = idleBytes();
    for (List<TtnnTensor> list : rooms.values()) {
      list.stream().filter(Storage::isIdle).forEach(TtnnTensor::close);
      list.removeIf(room -> room.owners() == 0);
    }
    return bytes;
  }

  /** What nobody uses takes so much. */
  long idleBytes() {
    return all().filter(Storage::isIdle).mapToLong(TtnnTensor::bytes).sum();
  }

  private static boolean isIdle(TtnnTensor room) {
    return room.owners() == 1;
  }

  private Stream<TtnnTensor> all() {
    return rooms.values().stream().flatMap(List::stream);
  }

  /** Gives everything back, but for what is still used. */
  void close() {
    all().forEach(TtnnTensor::close);
    rooms.clear();
  }
}
