package dev.pi0stream.operators.policy;

import java.io.Serializable;

/**
 * Which policy is served where; equal ones share an engine.
 *
 * @param checkpoint directory of the checkpoint
 * @param device name of the back end, such as {@code cpu}
 * @param precision label of the precision, such as {@code fp32}
 * @param maxBatch the most robots of one batch
 */
public record EngineSpec(String checkpoint, String device, String precision, int maxBatch)
    implements Serializable {}
