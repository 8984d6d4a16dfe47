package dev.pi0stream.device.tt;

import dev.pi0stream.device.tt.HostInput.Place;
import dev.pi0stream.device.tt.ttnn.MeshDevice;
import dev.pi0stream.device.tt.ttnn.TtnnTensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Room for the results of stages, which live on while traces are replayed. A replay writes wherever
 * the recorded operations wrote, so such room has to be there before a trace is captured: it is
 * made in growing numbers, used again when its users have closed it, and given back with the
 * device.
 */
final class Storage {
  private final MeshDevice chip;
  private final Map<Place, List<TtnnTensor>> rooms = new HashMap<>();

  Storage(MeshDevice chip) {
    this.chip = chip;
  }

  /** Room that nobody uses, of which the caller is an owner; null where there is none. */
  TtnnTensor takeFree(Place place) {
    for (TtnnTensor room : rooms.getOrDefault(place, List.of())) {
      if (room.owners() == 1) {
        return room.share();
      }
    }
    return null;
  }

  /** Makes more room: as much again as there is. */
  TtnnTensor takeNew(Place place) {
    List<TtnnTensor> known = rooms.computeIfAbsent(place, _ -> new ArrayList<>());
    int more = Math.max(1, known.size());
    for (int i = 0; i < more; i++) {
      known.add(chip.empty(place.shape(), place.type(), place.layout()));
    }
    return known.getLast().share();
  }

  /** Gives everything back, but for what is still used. */
  void close() {
    rooms.values().forEach(list -> list.forEach(TtnnTensor::close));
    rooms.clear();
  }
}
