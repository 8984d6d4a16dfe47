package dev.pi0stream.tests.simulator;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** What one task has sent to another and that has not taken it yet: elements and barriers. */
final class Channel<T> {
  /** An element or a barrier; the other is null. */
  private record Item<T>(T element, Barrier barrier) {}

  private final Deque<Item<T>> items = new ArrayDeque<>();

  void add(T element) {
    items.add(new Item<>(element, null));
  }

  void add(Barrier barrier) {
    items.add(new Item<>(null, barrier));
  }

  int size() {
    return items.size();
  }

  /** Whether the next is an element. */
  boolean hasElement() {
    return !items.isEmpty() && items.peek().element != null;
  }

  T remove() {
    return items.remove().element;
  }

  /** The barrier that is to be heeded now: an aligned one at the head, another one anywhere. */
  Optional<Barrier> barrier() {
    return items.stream()
        .map(Item::barrier)
        .filter(barrier -> barrier != null)
        .findFirst()
        .filter(barrier -> !barrier.aligned() || !hasElement());
  }

  /** Takes the first barrier out; gives the elements that were before it and stay. */
  List<T> removeBarrier() {
    List<T> overtaken = new ArrayList<>();
    for (Item<T> item : items) {
      if (item.barrier != null) {
        items.remove(item);
        return overtaken;
      }
      overtaken.add(item.element);
    }
    throw new IllegalStateException("there is no barrier");
  }

  /** All elements. */
  List<T> elements() {
    return items.stream().map(Item::element).filter(element -> element != null).toList();
  }
}
