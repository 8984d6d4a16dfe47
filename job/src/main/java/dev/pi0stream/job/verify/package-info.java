/**
 * {@code pi0 verify}: everything in a folder of golden vectors is computed anew from its raw inputs
 * and compared. {@link dev.pi0stream.job.verify.Golden} reads the folder, one {@code *Check} for
 * each of its sections computes, {@link dev.pi0stream.job.verify.Criterion} judges, and {@link
 * dev.pi0stream.job.verify.Report} shows.
 */
package dev.pi0stream.job.verify;
