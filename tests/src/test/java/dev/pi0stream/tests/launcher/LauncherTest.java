package dev.pi0stream.tests.launcher;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The launcher in a project of stand-ins: a Maven that only notes its arguments, JDKs that echo.
 */
class LauncherTest {
  private static final Path LAUNCHER = Path.of("..", "pi0").toAbsolutePath().normalize();

  @TempDir private Path scratch;
  private final Map<Long, Path> outputs = new HashMap<>();
  private Path project;
  private Path jdk;

  @BeforeEach
  void layOutAProject() throws IOException {
    project = Files.createDirectory(scratch.resolve("a project"));
    Files.copy(LAUNCHER, project.resolve("pi0"));
    executable(project.resolve("pi0"));
    Files.writeString(project.resolve("pom.xml"), "<project/>");
    for (String folder : List.of("job/src/main", "job/src/test", ".mvn")) {
      Files.createDirectories(project.resolve(folder));
    }
    Files.writeString(project.resolve("job/pom.xml"), "<project/>");
    Files.writeString(project.resolve("job/src/main/Main.java"), "");
    Files.writeString(project.resolve("job/src/test/MainTest.java"), "");
    maven("mkdir -p \"$here/job/target\" && echo jar >\"$here/job/target/pi0.jar\"");
    jdk = jdk("jdk-25", "25.0.2");
    age(project);
  }

  @Test
  void isValidBash() throws Exception {
    assertThat(run(List.of("bash", "-n", LAUNCHER.toString()), Map.of()).code).isZero();
  }

  @Test
  void runsTheCommandLineOnTheJdkOfJavaHome() throws Exception {
    Run run = pi0("verify", "--golden", "a folder");

    assertThat(run.code).isZero();
    assertThat(run.out)
        .contains("java of jdk-25")
        .contains("[--enable-native-access=ALL-UNNAMED]")
        .contains("[--sun-misc-unsafe-memory-access=allow]")
        .contains("[-Djava.awt.headless=true]")
        .contains("[dev.pi0stream.job.cli.Main]\n[verify]\n[--golden]\n[a folder]\n");
  }

  @Test
  void addsTheFlagsOfPi0JavaOpts() throws Exception {
    assertThat(pi0(Map.of("PI0_JAVA_OPTS", "-Xmx1g -Xss2m"), "x").out)
        .contains("[-Xmx1g]\n[-Xss2m]\n");
  }

  @Test
  void usesWhatTheJvmKeptOfThisBuildAlone() throws Exception {
    assertThat(pi0("x").out).doesNotContain("AOTCache");
    Path kept = Files.writeString(project.resolve("target/pi0.aot"), "kept");
    Files.setLastModifiedTime(kept, FileTime.from(Instant.now().plusSeconds(10)));
    assertThat(pi0("x").out)
        .contains("[-XX:AOTCache=" + project.toRealPath().resolve("target/pi0.aot"));

    Files.setLastModifiedTime(kept, FileTime.from(Instant.EPOCH));
    assertThat(pi0("x").out).doesNotContain("AOTCache");
  }

  @Test
  void warmingRunsTheCommandLineAndSaysWhereItsLogIsWhenNothingIsKept() throws Exception {
    Run run = pi0("warm");

    assertThat(run.code).isEqualTo(1);
    assertThat(run.err).contains("pi0-warm.log").contains("that failed");
    assertThat(Files.readString(project.resolve("target/pi0-warm.log")))
        .contains("[-XX:AOTCacheOutput=")
        .contains("[run]\n[--duration]\n[10s]\n");
    assertThat(pi0("warm", "twice").err).contains("warm takes no arguments");
  }

  @Test
  void passesOverAJavaHomeOfAnotherRelease() throws Exception {
    Path other = jdk("jdk-17", "17.0.9");

    assertThat(pi0(Map.of("JAVA_HOME", other.toString()), "x").out)
        .doesNotContain("java of jdk-17");
  }

  @Test
  void passesOverARuntimeWithoutCompiler() throws Exception {
    Files.delete(jdk.resolve("bin/javac"));

    assertThat(pi0("x").out).doesNotContain("java of jdk-25");
  }

  @Test
  void buildsOnce() throws Exception {
    Run first = pi0("x");
    Run second = pi0("x");

    assertThat(first.err).contains("building");
    assertThat(second.err).isEmpty();
    assertThat(builds()).hasSize(1);
    assertThat(builds().getFirst()).contains("-pl job -am package");
  }

  @Test
  void buildsAgainWhenASourceChangedOrWentAway() throws Exception {
    pi0("x");
    touch(project.resolve("job/src/main/Main.java"));
    pi0("x");
    assertThat(builds()).hasSize(2);

    Files.delete(project.resolve("job/src/main/Main.java"));
    touch(project.resolve("job/src/main"));
    pi0("x");
    assertThat(builds()).hasSize(3);

    touch(project.resolve("job/pom.xml"));
    pi0("x");
    assertThat(builds()).hasSize(4);
  }

  @Test
  void doesNotBuildAgainWhenOnlyATestChanged() throws Exception {
    pi0("x");
    touch(project.resolve("job/src/test/MainTest.java"));
    pi0("x");

    assertThat(builds()).hasSize(1);
  }

  @Test
  void buildsAgainWhenTheJarIsGone() throws Exception {
    pi0("x");
    Files.delete(project.resolve("job/target/pi0.jar"));
    pi0("x");

    assertThat(builds()).hasSize(2);
  }

  @Test
  void showsWhyTheBuildFailedAndWhereItsLogIs() throws Exception {
    maven("echo '[INFO] fine'; echo '[ERROR] no such symbol'; exit 1");

    Run run = pi0("x");

    assertThat(run.code).isEqualTo(1);
    assertThat(run.out).isEmpty();
    assertThat(run.err)
        .contains("[ERROR] no such symbol")
        .doesNotContain("fine")
        .contains("target/pi0-build.log");
    assertThat(project.resolve("target/pi0-build.lock")).doesNotExist();
  }

  @Test
  void buildsAgainAfterABuildThatFailed() throws Exception {
    maven("exit 1");
    pi0("x");
    maven("mkdir -p \"$here/job/target\" && echo jar >\"$here/job/target/pi0.jar\"");

    assertThat(pi0("x").code).isZero();
  }

  @Test
  void startsThroughSymbolicLinksFromAnotherFolderWithoutAHome() throws Exception {
    Path folder = Files.createDirectory(scratch.resolve("elsewhere"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), project.resolve("pi0"));
    Path relative = Files.createSymbolicLink(scratch.resolve("pi0"), Path.of("elsewhere/link"));
    assertThat(link).exists();

    Run run = run(List.of(relative.toString(), "x"), Map.of("HOME", ""));

    assertThat(run.code).isZero();
    assertThat(run.out).contains("[-Dpi0.home=" + project.toRealPath() + "]");
  }

  @Test
  void twoAtOnceBuildOnce() throws Exception {
    maven("sleep 2; mkdir -p \"$here/job/target\" && echo jar >\"$here/job/target/pi0.jar\"");

    Process first = start(List.of(project.resolve("pi0").toString(), "x"), Map.of());
    Process second = start(List.of(project.resolve("pi0").toString(), "x"), Map.of());

    assertThat(finish(first).code).isZero();
    assertThat(finish(second).code).isZero();
    assertThat(builds()).hasSize(1);
  }

  @Test
  void breaksTheLockOfAProcessThatIsGone() throws Exception {
    Process gone = start(List.of("true"), Map.of());
    finish(gone);
    Files.createDirectories(project.resolve("target"));
    Files.createSymbolicLink(
        project.resolve("target/pi0-build.lock"), Path.of(Long.toString(gone.pid())));

    assertThat(pi0("x").code).isZero();
    assertThat(builds()).hasSize(1);
  }

  @Test
  void runsTheTestsOfTheFirstTierOrOfAll() throws Exception {
    installer("");
    assertThat(pi0("test").code).isZero();
    assertThat(pi0("test", "--all").code).isZero();
    assertThat(pi0("test", "--some").code).isEqualTo(1);

    assertThat(builds()).hasSize(2);
    assertThat(builds().get(0)).contains("verify").doesNotContain("excludedGroups");
    assertThat(builds().get(1)).contains("verify -Dpi0.excludedGroups=");
  }

  @Test
  void endsLikeTheTests() throws Exception {
    installer("");
    maven("exit 3");

    assertThat(pi0("test").code).isEqualTo(3);
  }

  @Test
  void testsGetTheTtnnThatIsThereOrOneOfTheirOwn() throws Exception {
    maven("echo \"ttnn $PI0_TTNN\"");
    installer("echo \"installs into $1\" >&2");
    Map<String, String> empty = Map.of("PI0_TTNN", "", "XDG_CACHE_HOME", scratch.toString());
    Path own = project.resolve("target/ttnn");
    Run installed = pi0(empty, "test");
    assertThat(installed.out).contains("ttnn " + own + "\n");
    assertThat(installed.err).contains("installs into " + own);

    Run named = pi0(Map.of("PI0_TTNN", "/named"), "test");
    assertThat(named.out).contains("ttnn /named\n");
    assertThat(named.err).doesNotContain("installs into");

    Path cached = Files.createDirectories(scratch.resolve("pi0-stream/ttnn"));
    Files.createFile(cached.resolve("pyvenv.cfg"));
    assertThat(pi0(empty, "test").err).doesNotContain("installs into");
  }

  @Test
  void testsRunWithoutTtnnWhereItCannotBeInstalled() throws Exception {
    installer("echo 'install-ttnn: no Python' >&2; exit 1");
    Run run = pi0(Map.of("PI0_TTNN", "", "XDG_CACHE_HOME", scratch.toString()), "test");
    assertThat(run.code).isZero();
    assertThat(builds()).hasSize(1);
    assertThat(run.err)
        .contains("install-ttnn: no Python", "pi0: tests that need TTNN are skipped");
  }

  /** What a process did. */
  private record Run(int code, String out, String err) {}

  private Run pi0(String... arguments) throws Exception {
    return pi0(Map.of(), arguments);
  }

  private Run pi0(Map<String, String> environment, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(project.resolve("pi0").toString()));
    command.addAll(List.of(arguments));
    return run(command, environment);
  }

  private Run run(List<String> command, Map<String, String> environment) throws Exception {
    return finish(start(command, environment));
  }

  private Process start(List<String> command, Map<String, String> environment) throws IOException {
    Path out = Files.createTempFile(scratch, "out", "");
    ProcessBuilder builder = new ProcessBuilder(command).directory(scratch.toFile());
    builder.environment().put("JAVA_HOME", jdk.toString());
    builder.environment().remove("PI0_JAVA_OPTS");
    builder.environment().putAll(environment);
    builder.redirectOutput(out.toFile());
    builder.redirectError(Path.of(out + ".err").toFile());
    Process process = builder.start();
    outputs.put(process.pid(), out);
    return process;
  }

  private Run finish(Process process) throws Exception {
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    Path out = outputs.get(process.pid());
    return new Run(
        process.exitValue(),
        Files.readString(out, UTF_8),
        Files.readString(Path.of(out + ".err"), UTF_8));
  }

  private List<String> builds() throws IOException {
    Path notes = project.resolve("maven.txt");
    return Files.exists(notes) ? Files.readAllLines(notes) : List.of();
  }

  private void maven(String action) throws IOException {
    Path script = project.resolve("mvnw");
    Files.writeString(
        script,
        """
        #!/usr/bin/env bash
        here="$(dirname "$0")"
        echo "$*" >>"$here/maven.txt"
        %s
        """
            .formatted(action));
    executable(script);
  }

  private void installer(String action) throws IOException {
    Path script =
        project.resolve("device/src/main/resources/dev/pi0stream/device/tt/host/install-ttnn");
    Files.createDirectories(script.getParent());
    Files.writeString(script, "#!/usr/bin/env bash\n" + action + "\n");
    executable(script);
  }

  private Path jdk(String name, String version) throws IOException {
    Path home = scratch.resolve(name);
    Files.createDirectories(home.resolve("bin"));
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"%s\"\n".formatted(version));
    Path java = home.resolve("bin/java");
    Files.writeString(
        java,
        "#!/usr/bin/env bash\necho \"java of %s\"\nprintf '[%%s]\\n' \"$@\"\n".formatted(name));
    executable(java);
    Path compiler = home.resolve("bin/javac");
    Files.writeString(compiler, "#!/usr/bin/env bash\n");
    executable(compiler);
    return home;
  }

  private static void executable(Path file) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** Everything in a folder was changed an hour ago. */
  private static void age(Path folder) throws IOException {
    try (var files = Files.walk(folder)) {
      for (Path file : files.toList()) {
        Files.setLastModifiedTime(file, FileTime.from(Instant.now().minusSeconds(3600)));
      }
    }
  }

  private static void touch(Path file) throws IOException {
    Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
  }
}
