/**
 * What lies in a checkpoint's folder: weights in safetensors files, one or sharded, mapped into
 * memory and not read before they are used; the configuration; and the sizes of the network, which
 * follow from the shapes of the tensors as far as shapes can tell.
 *
 * <p>Everything that is found wrong in a file is a {@link
 * dev.pi0stream.model.checkpoint.CheckpointException}.
 */
package dev.pi0stream.model.checkpoint;
