/** The job on a Flink cluster that is not embedded: application mode and {@code flink run}. */
package dev.pi0stream.job.cluster;
