/**
 * The policies π0 (Black et al. 2024) and π0.5 (Physical Intelligence 2025), written once over
 * {@link dev.pi0stream.device.Device}. A {@link dev.pi0stream.model.policy.Policy} is a vision
 * tower, a backbone that computes each robot's prefix, and an action expert that denoises a chunk
 * of actions step by step while it attends the prefix. The two policies differ in their {@link
 * dev.pi0stream.model.policy.Suffix} and nowhere else.
 *
 * <p>Nothing is padded and nothing is masked: cameras that are missing and pad tokens would have a
 * softmax weight of exactly 0 and no position, so they are left out. What remains are sequences of
 * different lengths, packed one behind the other, and full attention of each over its context and
 * itself.
 *
 * <p>On a device that multiplies in less than fp32, small layers on whose exactness much depends
 * ask for it: the patch embedding, the projections of state, actions and time, and those of
 * adaptive norms.
 */
package dev.pi0stream.model.policy;
