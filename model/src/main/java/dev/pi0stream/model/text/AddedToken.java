package dev.pi0stream.model.text;

/**
 * A text that stands for one id wherever it occurs, whatever the merges would make of it.
 *
 * @param singleWord only where no letter, digit or underscore touches it
 * @param lstrip takes the white space before it along
 * @param rstrip takes the white space after it along
 * @param normalized looked for after normalisation, in its normalised form
 * @param special left out when ids are decoded
 */
record AddedToken(
    int id,
    String content,
    boolean singleWord,
    boolean lstrip,
    boolean rstrip,
    boolean normalized,
    boolean special) {}
