package dev.pi0stream.job.fleet;

import dev.pi0stream.job.run.Latencies;
import java.util.List;

/**
 * What a fleet experienced; written as JSON with these names.
 *
 * @param robots how many there were
 * @param seconds from the first observation to the last
 * @param ageMillis of chunks when they reached their robots, by the robots' clocks
 * @param starvedShare of all control ticks; null without any
 * @param together all robots
 * @param worst the robots with the most starved ticks, at most ten
 */
public record FleetReport(
    int robots,
    double seconds,
    Latencies.Percentiles ageMillis,
    Double starvedShare,
    RobotFigures together,
    List<RobotFigures> worst) {}
