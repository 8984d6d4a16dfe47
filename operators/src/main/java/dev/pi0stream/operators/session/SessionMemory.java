package dev.pi0stream.operators.session;

import dev.pi0stream.model.image.Frame;

/** What is remembered of one robot: in keyed state, or wherever the rules are applied elsewhere. */
public interface SessionMemory {
  /** The robot's session; null where nothing is remembered. */
  RobotSession session() throws Exception;

  /** Remembers a session. */
  void remember(RobotSession session) throws Exception;

  /** The last frame of a camera; null for none. */
  Frame frame(String camera) throws Exception;

  /** Remembers a camera's last frame. */
  void remember(String camera, Frame frame) throws Exception;

  /** Forgets a camera's last frame. */
  void forget(String camera) throws Exception;

  /** Forgets the frames of all cameras. */
  void forgetFrames() throws Exception;
}
