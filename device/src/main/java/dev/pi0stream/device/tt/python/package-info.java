/**
 * Python in this process: a binding of CPython's stable ABI (the limited API of 3.12) by Java's
 * foreign-function interface.
 *
 * <p>{@link Interpreter} is the one interpreter of the process, started in a {@link Venv} and never
 * finalised. Everything happens in a {@link Frame}, which holds the GIL on its thread: objects that
 * calls return live until it closes, unless {@link Frame#keep} makes a {@link PyReference} of them.
 * {@link PyFunction} is a callable that is prepared once and called often. What crosses is flat:
 * numbers, strings, tuples, lists, attributes, and memory, which is lent to Python as a DLPack
 * tensor and read from it as a buffer, without a copy.
 */
package dev.pi0stream.device.tt.python;
