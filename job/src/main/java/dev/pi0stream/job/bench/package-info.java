/** Measures a policy on a device: {@code pi0 bench}. */
package dev.pi0stream.job.bench;
