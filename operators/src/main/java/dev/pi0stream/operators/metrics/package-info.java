/** What all operators tell of themselves with. */
package dev.pi0stream.operators.metrics;
