/** Records of the observations topic, as Kafka gives them. */
package dev.pi0stream.operators.source;
