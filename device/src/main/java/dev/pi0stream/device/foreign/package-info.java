/**
 * What back ends share to call C: a record of method handles is filled from the signatures that its
 * components carry. Only the back ends use it; nothing else of the project calls native code.
 */
package dev.pi0stream.device.foreign;
