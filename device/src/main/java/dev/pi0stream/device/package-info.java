/**
 * What computes. {@link dev.pi0stream.device.Device} is the seam between the policies, which are
 * written once, and the back ends that run them; the back ends live in packages of their own and
 * know nothing of π0.
 *
 * <p>A robot policy is batches of sequences of different lengths, so a tensor is rows × columns
 * with the rows packed sequence after sequence, and {@link dev.pi0stream.device.Sequences} holds
 * the lengths. No padding and no mask crosses the seam.
 */
package dev.pi0stream.device;
