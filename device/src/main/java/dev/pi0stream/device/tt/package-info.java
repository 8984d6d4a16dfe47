/**
 * The back end for Tenstorrent cards. Sequences are padded to whole tiles, each to the same number
 * of rows; nothing of that is seen from outside.
 */
package dev.pi0stream.device.tt;
