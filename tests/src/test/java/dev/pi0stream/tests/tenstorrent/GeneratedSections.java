package dev.pi0stream.tests.tenstorrent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sections of a page that tests measure or compute: each between two comments, of which the first
 * names it. A test compares them with what it found; with {@code -Dpi0.docs=write}, and where a
 * section says that nobody has measured it yet, it writes them.
 */
final class GeneratedSections {
  private static final Pattern SECTION =
      Pattern.compile("<!-- generated: (.+?) -->\n.*?<!-- end -->\n", Pattern.DOTALL);

  private static final String UNKNOWN = "Not measured yet.";

  private GeneratedSections() {}

  /** A section. */
  static String of(String name, String text) {
    return "<!-- generated: %s -->%n%n%s%n<!-- end -->%n".formatted(name, text);
  }

  /**
   * Compares all sections of a text with those of a page, or writes them there.
   *
   * @return how many there were
   */
  static int check(Path page, String measured) throws IOException {
    boolean write = System.getProperty("pi0.docs", "").equals("write");
    int count = 0;
    for (Matcher found = SECTION.matcher(measured); found.find(); count++) {
      String name = found.group(1);
      String text = Files.readString(page);
      Matcher section =
          Pattern.compile(SECTION.pattern().replace("(.+?)", Pattern.quote(name)), Pattern.DOTALL)
              .matcher(text);
      assertThat(section.find()).as("a section for '%s' in %s", name, page).isTrue();
      if (write || section.group().contains(UNKNOWN)) {
        Files.writeString(
            page,
            text.substring(0, section.start()) + found.group() + text.substring(section.end()));
      } else {
        assertThat(section.group())
            .as("'%s' in %s; written with -Dpi0.docs=write", name, page)
            .isEqualTo(found.group());
      }
    }
    return count;
  }
}
