/**
 * Instructions as tokens: Gemma's byte-pair encoding, read from Hugging Face's {@code
 * tokenizer.json}, and the forms in which π0 and π0.5 were taught their prompts.
 */
package dev.pi0stream.model.text;
