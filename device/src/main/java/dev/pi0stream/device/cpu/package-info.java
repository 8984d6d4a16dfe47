/**
 * The processor through oneDNN's C API, called by Java's foreign-function interface. Three layers:
 * {@code OneDnn} binds the functions, {@code Engine}, {@code MemoryDescriptor}, {@code Attributes}
 * and {@code Primitive} own what they create, {@code CpuDevice} is the device. Nothing outside this
 * package knows of oneDNN.
 */
package dev.pi0stream.device.cpu;
