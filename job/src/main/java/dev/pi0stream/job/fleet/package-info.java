/** Made-up robots, as many as wanted, at a job that runs, and what they experience. */
package dev.pi0stream.job.fleet;
