/** Where the work of a chunk is done: what the device computes, what the host does, what moves. */
package dev.pi0stream.job.residency;
