/** What robots experience, window by window of event time. */
package dev.pi0stream.operators.telemetry;
