package dev.pi0stream.device;

/** Weights that were given to a device once and stay there, in the layout that it likes best. */
public sealed interface Weight extends Resource permits Linear, GatedLinear, Embedding, Norm {}
