/** How observations end, and their way back to Kafka. */
package dev.pi0stream.operators.outcome;
