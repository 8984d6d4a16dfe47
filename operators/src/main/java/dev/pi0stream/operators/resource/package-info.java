/**
 * Devices as Flink's external resources. A plugin of its own: what is here knows nothing of the
 * rest of the program.
 */
package dev.pi0stream.operators.resource;
