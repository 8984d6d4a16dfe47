/**
 * What is logged as a bounded source: the episodes of a dataset, step by step, and recordings of
 * the observations topic, record by record.
 */
package dev.pi0stream.operators.replay;
