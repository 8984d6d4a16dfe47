package dev.pi0stream.operators.dataset;

import dev.pi0stream.model.image.Frame;
import java.util.Map;

/**
 * One moment of a logged episode: what was seen, and the action that was then carried out.
 *
 * @param frameIndex its number in the episode
 * @param index its number in the dataset
 * @param timestamp seconds since the episode's start
 * @param task the instruction
 * @param state {@code observation.state}, robot units
 * @param action robot units
 * @param frames raw RGB by camera, without {@code observation.images.}
 */
public record Step(
    int frameIndex,
    long index,
    double timestamp,
    String task,
    float[] state,
    float[] action,
    Map<String, Frame> frames) {}
