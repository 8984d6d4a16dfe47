package dev.pi0stream.device.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.pi0stream.device.DeviceException;
import dev.pi0stream.device.foreign.Environment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("restricted")
class NativeLibraryTest {
  @TempDir private Path folder;

  @Test
  void platformsHaveTheNamesOfTheJars() {
    assertThat(NativeLibrary.platform("Linux", "amd64")).isEqualTo("linux-x86_64");
    assertThat(NativeLibrary.platform("Linux", "aarch64")).isEqualTo("linux-arm64");
    assertThat(NativeLibrary.platform("Mac OS X", "aarch64")).isEqualTo("macosx-arm64");
    assertThatExceptionOfType(DeviceException.class)
        .isThrownBy(() -> NativeLibrary.platform("Windows 11", "amd64"))
        .withMessageContaining("Windows 11 (amd64): expected Linux or macOS");
  }

  @Test
  void aMissingJarIsSaidInOneSentence() {
    assertThatExceptionOfType(DeviceException.class)
        .isThrownBy(() -> NativeLibrary.extract("linux-s390x", "libdnnl.so.3", List.of(), folder))
        .withMessage(
            "oneDNN is not on the class path: add the jar org.bytedeco:dnnl with the classifier"
                + " linux-s390x");
  }

  @Test
  void processesThatStartTogetherLeaveOneCompleteCopy() throws Exception {
    String platform =
        NativeLibrary.platform(System.getProperty("os.name"), System.getProperty("os.arch"));
    String library = platform.startsWith("macosx") ? "libdnnl.3.dylib" : "libdnnl.so.3";
    try (ExecutorService executor = Executors.newFixedThreadPool(2)) {
      List<Future<Path>> copies =
          Stream.generate(
                  () ->
                      executor.submit(
                          () ->
                              NativeLibrary.extract(
                                  platform, library, List.of("libgomp.so.1"), folder)))
              .limit(2)
              .toList();
      Path first = copies.getFirst().get();
      assertThat(copies.getLast().get()).isEqualTo(first);
      assertThat(Files.size(first)).isGreaterThan(1 << 20);
      try (Stream<Path> files = Files.list(folder)) {
        assertThat(files).containsExactly(first.getParent());
      }
      assertThat(NativeLibrary.extract(platform, library, List.of(), folder)).isEqualTo(first);
    }
  }

  @Test
  void openMpIsToldToSleepSoonUnlessTheUserSaysOtherwise() {
    OneDnn.verifyAvailable();
    String expected =
        System.getenv("OMP_WAIT_POLICY") == null
            ? System.getenv().getOrDefault(WaitPolicy.SPINS, "2000")
            : System.getenv(WaitPolicy.SPINS);
    assertThat(Environment.get(WaitPolicy.SPINS)).isEqualTo(expected);
  }

  @Test
  void aCacheThatCannotBeWrittenIsNamed() throws IOException {
    String platform =
        NativeLibrary.platform(System.getProperty("os.name"), System.getProperty("os.arch"));
    String library = platform.startsWith("macosx") ? "libdnnl.3.dylib" : "libdnnl.so.3";
    Path file = Files.createFile(folder.resolve("file"));
    assertThatExceptionOfType(DeviceException.class)
        .isThrownBy(() -> NativeLibrary.extract(platform, library, List.of(), file))
        .withMessageContaining(file.toString())
        .withMessageContaining(NativeLibrary.CACHE_PROPERTY);
  }
}
