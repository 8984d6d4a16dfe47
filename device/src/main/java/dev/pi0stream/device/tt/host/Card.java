package dev.pi0stream.device.tt.host;

import java.nio.file.Path;

/**
 * A chip that the driver shows as a device node; a board may have several.
 *
 * @param index the N of {@code /dev/tenstorrent/N}
 * @param node the device node
 * @param architecture {@code wormhole} or {@code blackhole}; {@code unknown} where the PCI device
 *     is none of these
 * @param board the board's name as the driver tells it ({@code p150a}), or empty
 * @param usable whether this process may read and write the node
 * @param iommu whether an IOMMU translates for it, as TT-UMD decides
 */
public record Card(
    int index, Path node, String architecture, String board, boolean usable, boolean iommu) {}
