/**
 * {@code pi0 run}: logged episodes are played as robots, the job serves them, and a ledger that
 * reads nothing but the topics accounts for every observation.
 */
package dev.pi0stream.job.run;
