package dev.pi0stream.operators.resource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.apache.flink.api.common.externalresource.ExternalResourceInfo;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.plugin.DefaultPluginManager;
import org.apache.flink.core.plugin.PluginDescriptor;
import org.apache.flink.runtime.externalresource.ExternalResourceInfoProvider;
import org.apache.flink.runtime.externalresource.ExternalResourceUtils;
import org.apache.flink.util.FlinkException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceDriverTest {
  private static final String SERVICE =
      "META-INF/services/org.apache.flink.api.common.externalresource.ExternalResourceDriverFactory";

  @TempDir private Path directory;

  @Test
  void cardsAreTheNumberedFilesOfTheirDirectory() throws Exception {
    for (String name : List.of("10", "2", "0", "by-id", "3.bak")) {
      Files.createFile(directory.resolve(name));
    }
    assertThat(new TenstorrentDriver(directory).retrieveResourceInfo(3))
        .extracting(card -> card.getProperty(DeviceInfo.DEVICE).orElseThrow())
        .containsExactly("tt:0", "tt:2", "tt:10");
    assertThat(new TenstorrentDriver(directory).retrieveResourceInfo(1))
        .containsExactly(new DeviceInfo("tt", 0));
  }

  @Test
  void tooFewCardsAreRefusedInOneSentence() throws Exception {
    Files.createFile(directory.resolve("4"));
    assertThatThrownBy(() -> new TenstorrentDriver(directory).retrieveResourceInfo(2))
        .isInstanceOf(FlinkException.class)
        .hasMessage("%s has the cards [4]: expected 2 for this TaskManager", directory);
    Path missing = directory.resolve("missing");
    assertThatThrownBy(() -> new TenstorrentDriver(missing).retrieveResourceInfo(1))
        .isInstanceOf(FlinkException.class)
        .hasMessageContaining("expected one with a file for each card");
  }

  @Test
  void aPropertyThatADeviceDoesNotHaveIsEmpty() {
    DeviceInfo card = new DeviceInfo("tt", 3);
    assertThat(card.getKeys()).allMatch(key -> card.getProperty(key).isPresent());
    assertThat(card.getProperty("colour")).isEmpty();
  }

  /** As a TaskManager does it: from a jar of its own, by a class loader that knows Flink alone. */
  @Test
  void flinkLoadsTheDriversAsAPlugin() throws Exception {
    Files.createFile(Files.createDirectory(directory.resolve("cards")).resolve("1"));
    Configuration configuration = new Configuration();
    configuration.setString("external-resources", "tt;cpu");
    configuration.setString("external-resource.tt.amount", "1");
    configuration.setString(
        "external-resource.tt.driver-factory.class", TenstorrentDriverFactory.class.getName());
    configuration.setString(
        "external-resource.tt.param.directory", directory.resolve("cards").toString());
    configuration.setString("external-resource.cpu.amount", "2");
    configuration.setString(
        "external-resource.cpu.driver-factory.class", CpuSlotDriverFactory.class.getName());

    ExternalResourceInfoProvider provider =
        ExternalResourceUtils.createStaticExternalResourceInfoProviderFromConfig(
            configuration,
            new DefaultPluginManager(
                List.of(new PluginDescriptor("pi0-devices", new URL[] {plugin()}, new String[0])),
                new String[] {"org.apache.flink.", "java.", "org.slf4j."}));
    assertThat(devices(provider.getExternalResourceInfos("tt"))).containsExactly("tt:1");
    assertThat(devices(provider.getExternalResourceInfos("cpu")))
        .containsExactlyInAnyOrder("cpu:0", "cpu:1");
    assertThat(provider.getExternalResourceInfos("tt").iterator().next().getClass())
        .as("a class of the plugin's own loader")
        .isNotEqualTo(DeviceInfo.class);
  }

  private static List<String> devices(Set<? extends ExternalResourceInfo> infos) {
    return infos.stream().map(info -> info.getProperty(DeviceInfo.DEVICE).orElseThrow()).toList();
  }

  /** A jar with what the build's device-driver jar holds. */
  private URL plugin() throws IOException {
    Path classes = Path.of("target", "classes");
    Path jar = directory.resolve("device-driver.jar");
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file);
        Stream<Path> files = Files.walk(classes.resolve("dev/pi0stream/operators/resource"))) {
      for (Path path :
          Stream.concat(files, Stream.of(classes.resolve(SERVICE)))
              .filter(Files::isRegularFile)
              .toList()) {
        out.putNextEntry(new JarEntry(classes.relativize(path).toString()));
        Files.copy(path, out);
      }
    }
    return jar.toUri().toURL();
  }
}
