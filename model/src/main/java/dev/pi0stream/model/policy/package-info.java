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
 * <p>On a device that multiplies in less than fp32, the layers at the borders still ask for fp32,
 * as they have it in LeRobot and mostly in openpi: the patch embedding, the projector, the
 * projections of state, actions and time, and those of adaptive norms. They are a thousandth of the
 * work and a fifth of the error.
 */
package dev.pi0stream.model.policy;
