/**
 * The definition of every operation: plain Java, fp32 numbers on the heap, sums in double. Made to
 * be read and to be compared with, not to be fast.
 */
package dev.pi0stream.device.reference;
