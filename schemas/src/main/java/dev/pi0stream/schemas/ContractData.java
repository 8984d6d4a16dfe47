package dev.pi0stream.schemas;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.avro.Schema;
import org.apache.avro.data.TimeConversions.TimestampMicrosConversion;
import org.apache.avro.specific.SpecificData;

/**
 * Avro's data model of the wire contract. A schema's names lead to the contract's classes and to no
 * others: nothing that comes from outside can make Avro load a class, and no process-wide list of
 * trusted classes has to be changed.
 */
final class ContractData extends SpecificData {
  private static final Map<String, Class<?>> CLASSES =
      List.of(
              RobotObservation.class,
              ChunkInExecution.class,
              CameraFrame.class,
              FrameEncoding.class,
              ActionChunk.class,
              ObservationOutcome.class,
              OutcomeKind.class,
              RobotTelemetry.class,
              RobotHealth.class,
              RecordedObservation.class)
          .stream()
          .collect(Collectors.toUnmodifiableMap(Class::getName, Function.identity()));

  ContractData() {
    super(ContractData.class.getClassLoader());
    addLogicalTypeConversion(new TimestampMicrosConversion());
  }

  @Override
  @SuppressWarnings("rawtypes") // As the method that it overrides.
  public Class getClass(Schema schema) {
    return switch (schema.getType()) {
      case RECORD, ENUM, FIXED -> CLASSES.get(schema.getFullName());
      default -> super.getClass(schema);
    };
  }
}
