/**
 * The machine that Tenstorrent cards sit in: its device nodes, its driver, where TTNN is installed,
 * and what a card still lacks. Nothing here needs a card, or starts Python, but {@link
 * dev.pi0stream.device.tt.host.Machine#start}.
 */
package dev.pi0stream.device.tt.host;
