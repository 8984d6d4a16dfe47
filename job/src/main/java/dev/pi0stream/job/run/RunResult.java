package dev.pi0stream.job.run;

import java.util.Optional;

/**
 * How a run ended.
 *
 * @param summary of all observations
 * @param rejection why the first rejected observation was, if any was
 * @param failure one sentence when not all went well
 */
public record RunResult(Summary summary, Optional<String> rejection, Optional<String> failure) {}
