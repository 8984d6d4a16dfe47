/**
 * How far predicted chunks are from what was logged, and how they behave; docs/replay.md has the
 * formulas. Nothing here knows where the numbers come from.
 */
package dev.pi0stream.job.evaluation;
