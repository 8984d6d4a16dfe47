/** Which robots are served by which subtask. */
package dev.pi0stream.operators.placement;
