package dev.pi0stream.job.run;

import dev.pi0stream.schemas.RobotObservation;

/** Where players send what their robots see. */
@FunctionalInterface
public interface ObservationSink {
  void send(RobotObservation observation);
}
