package dev.pi0stream.tests.simulator;

/**
 * What a checkpoint sends through the job.
 *
 * @param aligned whether it stays behind what is before it; otherwise it overtakes, and what it
 *     overtook belongs to the checkpoint
 */
record Barrier(long checkpoint, boolean aligned) {}
