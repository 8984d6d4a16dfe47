package dev.pi0stream.job.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The physical memory of this process. */
final class ResidentMemory {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Pattern PEAK = Pattern.compile("(?m)^VmHWM:\\s+(\\d+) kB$");

  private ResidentMemory() {}

  /** The most that this process has had so far, in bytes; null where the system does not say. */
  static Long peakBytes() {
    try {
      Matcher peak = PEAK.matcher(Files.readString(STATUS));
      return peak.find() ? Long.parseLong(peak.group(1)) * 1024 : null;
    } catch (IOException e) {
      return null;
    }
  }
}
