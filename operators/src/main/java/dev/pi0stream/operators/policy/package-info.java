/** Observations to chunks: the engine of a device, held by its TaskManager and asked by a task. */
package dev.pi0stream.operators.policy;
