package dev.pi0stream.job.verify;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;

/**
 * A whole case: raw observations in, actions in the robot's units out.
 *
 * @param file relative to the golden folder
 * @param name under which {@code bf16-errors.json} knows it
 * @param checkpoint the name of its checkpoint
 * @param config fields that override the checkpoint's {@code config.json}
 * @param inputs the file of its raw inputs
 * @param steps of Euler's method
 * @param prompts one for each row of the batch
 * @param masked rows of the batch from which a camera is taken away, by camera
 * @param tensors the names that the manifest lists for the file
 * @param realTime null without real-time chunking
 */
record GoldenCase(
    String file,
    String name,
    String checkpoint,
    ObjectNode config,
    String inputs,
    int steps,
    List<String> prompts,
    Map<String, List<Integer>> masked,
    Tolerances tolerances,
    List<String> tensors,
    RealTime realTime) {

  /**
   * The parameters of real-time chunking.
   *
   * @param schedule LeRobot's name
   * @param delay null where none is given
   * @param executionHorizon null where the configured one holds
   */
  record RealTime(
      String schedule,
      Integer delay,
      Integer executionHorizon,
      int configuredExecutionHorizon,
      double maxGuidanceWeight) {}

  /** Whether a row of the batch lacks a camera that others have. */
  boolean masks(String camera, int row) {
    return masked.getOrDefault(camera, List.of()).contains(row);
  }
}
