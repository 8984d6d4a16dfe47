package dev.pi0stream.device.foreign;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The C function behind a method handle. Pointers are {@link java.lang.foreign.MemorySegment}s. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface NativeSignature {
  String name();

  Class<?> returns() default int.class;

  Class<?>[] arguments();
}
