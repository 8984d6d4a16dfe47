package dev.pi0stream.model.engine;

/**
 * What a robot says of the chunk that it is executing, for real-time chunking.
 *
 * @param remaining actions that are still to be executed when the observation is made, in the
 *     robot's units, step after step
 * @param delay steps that will have been executed when the new chunk arrives
 * @param executionHorizon steps of the new chunk that are held to the remaining ones at all
 */
public record ChunkInExecution(float[] remaining, int delay, int executionHorizon) {}
