package dev.pi0stream.model.processor;

import dev.pi0stream.model.image.Frame;
import java.util.Map;

/**
 * What a policy is asked about: one moment of one robot.
 *
 * @param frames by the checkpoint's camera names, without {@code observation.images.}; cameras that
 *     are not here are missing
 * @param state joint state in the robot's units, before normalisation and padding
 * @param prompt the instruction as a person wrote it
 */
public record Observation(Map<String, Frame> frames, float[] state, String prompt) {}
