package dev.pi0stream.device.tt.host;

/**
 * Something that TTNN needs on this machine.
 *
 * @param what it is
 * @param met whether it is there
 * @param found what is there instead, or which one it is
 * @param fix what to do where it is not met; empty where it is
 */
public record Requirement(String what, boolean met, String found, String fix) {
  static Requirement met(String what, String found) {
    return new Requirement(what, true, found, "");
  }

  static Requirement missing(String what, String found, String fix) {
    return new Requirement(what, false, found, fix);
  }
}
