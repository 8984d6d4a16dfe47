package dev.pi0stream.operators.session;

import dev.pi0stream.model.image.Frame;
import java.util.HashMap;
import java.util.Map;

/** A robot's session in memory, for who follows robots without Flink. */
public final class RememberedSession implements SessionMemory {
  private final Map<String, Frame> frames;
  private RobotSession session;

  /** Nothing is remembered yet. */
  public RememberedSession() {
    this(null, Map.of());
  }

  private RememberedSession(RobotSession session, Map<String, Frame> frames) {
    this.session = session;
    this.frames = new HashMap<>(frames);
  }

  /** The same memory, which learns apart from this one. */
  public RememberedSession copy() {
    return new RememberedSession(session, frames);
  }

  @Override
  public RobotSession session() {
    return session;
  }

  @Override
  public void remember(RobotSession another) {
    session = another;
  }

  @Override
  public Frame frame(String camera) {
    return frames.get(camera);
  }

  @Override
  public void remember(String camera, Frame frame) {
    frames.put(camera, frame);
  }

  @Override
  public void forget(String camera) {
    frames.remove(camera);
  }

  @Override
  public void forgetFrames() {
    frames.clear();
  }
}
