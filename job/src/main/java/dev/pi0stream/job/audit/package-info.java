/**
 * What became of every observation, from what is on the broker alone: no Flink, no transactions, no
 * word of the job itself is trusted.
 */
package dev.pi0stream.job.audit;
