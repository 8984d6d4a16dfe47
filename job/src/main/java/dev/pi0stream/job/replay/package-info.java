/**
 * {@code pi0 replay}: the operators of the live job over logged episodes or recordings, in a
 * bounded job that can be stopped and resumed, and what its chunks are worth.
 */
package dev.pi0stream.job.replay;
