/** What a job remembers of each robot. */
package dev.pi0stream.operators.session;
