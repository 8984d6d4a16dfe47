/** Observations as they are read from the wire. */
package dev.pi0stream.operators.observation;
