/**
 * TTNN, Tenstorrent's tensor library, under its own names: exactly the operations that the back end
 * uses, with types, and with the lifetimes that TTNN itself leaves to its caller.
 */
package dev.pi0stream.device.tt.ttnn;
