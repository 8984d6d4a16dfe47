/**
 * Camera frames as the network wants them: decoded with bounds, resized with padding in the
 * convention that a checkpoint was trained with, scaled to [−1, 1].
 */
package dev.pi0stream.model.image;
