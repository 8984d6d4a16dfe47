package dev.pi0stream.job.run;

import org.apache.flink.util.FlinkException;

/** The job that serves the robots. */
interface ServingJob {
  /** Whether all its tasks run, so that robots may begin. */
  boolean isRunning() throws FlinkException;

  /** Whether it has ended, so that nobody need wait for its answers. */
  boolean hasEnded();

  /** Ends it, where it was begun for these robots; every answer that was waited for is there. */
  void end() throws InterruptedException;

  /** A job on a cluster elsewhere: it is taken to run, and outlives the robots. */
  ServingJob ELSEWHERE =
      new ServingJob() {
        @Override
        public boolean isRunning() {
          return true;
        }

        @Override
        public boolean hasEnded() {
          return false;
        }

        @Override
        public void end() {
          // It serves others too.
        }
      };
}
