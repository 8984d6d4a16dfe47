package dev.pi0stream.operators.dataset;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the files of a dataset are, as {@code meta/info.json} says it in Python's format syntax:
 * {@code data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet}.
 *
 * @param root the dataset's directory; no path leads out of it
 * @param field the entry of {@code info.json} that holds the template
 */
record PathTemplate(Path root, String field, String template) {
  private static final Pattern PLACEHOLDER = Pattern.compile("\\{(\\w+)(?::(0?)(\\d*)d)?}");

  /**
   * Fills in the placeholders.
   *
   * @throws DatasetException when the template has others, or the path leaves the dataset
   */
  Path resolve(Map<String, ?> values) {
    Matcher placeholder = PLACEHOLDER.matcher(template);
    StringBuilder filled = new StringBuilder();
    while (placeholder.find()) {
      Object value = values.get(placeholder.group(1));
      if (value == null) {
        throw new DatasetException(
            "%s: %s is \"%s\", whose %s is none of %s"
                .formatted(info(), field, template, placeholder.group(), values.keySet()));
      }
      placeholder.appendReplacement(filled, Matcher.quoteReplacement(text(placeholder, value)));
    }
    placeholder.appendTail(filled);
    return inside(filled.toString());
  }

  private static String text(Matcher placeholder, Object value) {
    String text = value.toString();
    String width = placeholder.group(3);
    if (width == null || width.isEmpty()) {
      return text;
    }
    String padding = placeholder.group(2).isEmpty() ? " " : "0";
    return padding.repeat(Math.max(0, Integer.parseInt(width) - text.length())) + text;
  }

  private Path inside(String relative) {
    Path path;
    try {
      path = root.resolve(relative).normalize();
    } catch (InvalidPathException e) {
      throw new DatasetException(
          "%s: %s leads to \"%s\", which is no path".formatted(info(), field, relative), e);
    }
    if (!path.startsWith(root.normalize())) {
      throw new DatasetException(
          "%s: %s leads to \"%s\", which is outside the dataset's directory"
              .formatted(info(), field, relative));
    }
    return path;
  }

  private Path info() {
    return root.resolve("meta").resolve("info.json");
  }
}
