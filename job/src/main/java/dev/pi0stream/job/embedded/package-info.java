/**
 * A Kafka broker and a Flink cluster inside this process: real ones, for one command or one test.
 */
package dev.pi0stream.job.embedded;
