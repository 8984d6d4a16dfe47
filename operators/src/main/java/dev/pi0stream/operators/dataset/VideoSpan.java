package dev.pi0stream.operators.dataset;

import java.nio.file.Path;

/**
 * Where one camera's frames of an episode are: in v3.0 in a file that other episodes share.
 *
 * @param from time of the first frame in the file, seconds
 * @param to time of the end, seconds
 */
public record VideoSpan(Path file, double from, double to) {}
