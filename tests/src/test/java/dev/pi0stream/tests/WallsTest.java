package dev.pi0stream.tests;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The walls of the house: which part may know which. */
class WallsTest {
  private static final String ROOT = "dev.pi0stream.";

  private static JavaClasses house;

  @BeforeAll
  static void readTheHouse() {
    house =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.pi0stream");
  }

  @Test
  void everyPartIsSeen() {
    assertThat(
            house.stream()
                .map(JavaClass::getPackageName)
                .filter(name -> name.startsWith(ROOT))
                .map(name -> name.substring(ROOT.length()).split("\\.", -1)[0])
                .collect(Collectors.toSet()))
        .contains("schemas", "device", "model", "operators", "job");
  }

  @Test
  void arrowsPointOneWay() {
    layeredArchitecture()
        .consideringOnlyDependenciesInAnyPackage("dev.pi0stream..")
        .layer("schemas")
        .definedBy("dev.pi0stream.schemas..")
        .layer("device")
        .definedBy("dev.pi0stream.device..")
        .layer("model")
        .definedBy("dev.pi0stream.model..")
        .layer("operators")
        .definedBy("dev.pi0stream.operators..")
        .layer("job")
        .definedBy("dev.pi0stream.job..")
        .whereLayer("job")
        .mayNotBeAccessedByAnyLayer()
        .whereLayer("operators")
        .mayOnlyBeAccessedByLayers("job")
        .whereLayer("model")
        .mayOnlyBeAccessedByLayers("operators", "job")
        .whereLayer("device")
        .mayOnlyBeAccessedByLayers("model", "operators", "job")
        .whereLayer("schemas")
        .mayOnlyBeAccessedByLayers("operators", "job")
        .check(house);
  }

  @Test
  void modelKnowsNoFlinkAndNoKafka() {
    noClasses()
        .that()
        .resideInAnyPackage("dev.pi0stream.model..", "dev.pi0stream.device..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.flink..", "org.apache.kafka..", "org.apache.avro..")
        .check(house);
  }

  @Test
  void nativeCodeIsLinkedInOnePlace() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.pi0stream.device.foreign")
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("java.lang.foreign.Linker")
        .check(house);
  }

  @Test
  void onlyTheBackEndsKnowNativeCode() {
    noClasses()
        .that()
        .resideOutsideOfPackages(
            "dev.pi0stream.device.cpu..",
            "dev.pi0stream.device.tt..",
            "dev.pi0stream.device.foreign")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.pi0stream.device.foreign")
        .check(house);
  }

  @Test
  void onlyTenstorrentKnowsPython() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.pi0stream.device.tt..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.pi0stream.device.tt.python..")
        .check(house);
  }

  @Test
  void backEndsDoNotKnowEachOther() {
    slices()
        .matching("dev.pi0stream.device.(*)..")
        .should()
        .notDependOnEachOther()
        .ignoreDependency(
            DescribedPredicate.alwaysTrue(), resideInAPackage("dev.pi0stream.device.foreign"))
        .check(house);
  }

  @Test
  void noPackageIsACycle() {
    for (String part : new String[] {"model", "operators", "job"}) {
      slices().matching(ROOT + part + ".(*)..").should().beFreeOfCycles().check(house);
    }
  }

  @Test
  void packagesAreNamedByWhatThingsAre() {
    classes()
        .should()
        .resideOutsideOfPackages("..util..", "..utils..", "..impl..", "..manager..", "..helper..")
        .check(house);
  }
}
