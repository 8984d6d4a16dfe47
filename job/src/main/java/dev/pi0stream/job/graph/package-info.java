/** The Flink graph and its settings. */
package dev.pi0stream.job.graph;
