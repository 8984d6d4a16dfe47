package dev.pi0stream.device;

/** Numbers of entries of a table, one for each row. Made by {@link Device#indices}. */
public non-sealed interface Indices extends Packed {}
