/** Devices whose calls are looked at on their way. */
package dev.pi0stream.job.watch;
