/**
 * The project's own settings, {@code conf/pi0.yaml}: which there are, what their values may be, and
 * how a file of them is read. Flink's settings are in {@code conf/config.yaml} and Flink's
 * business.
 */
package dev.pi0stream.job.configuration;
