package dev.pi0stream.job.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Numbers of episodes, each once, in the order given. */
record EpisodeNumbers(List<Integer> numbers) {
  EpisodeNumbers {
    numbers = List.copyOf(numbers);
  }

  /** {@code 0-4,7}. */
  static final class Converter implements ITypeConverter<EpisodeNumbers> {
    private static final Pattern PART = Pattern.compile("(\\d{1,9})(?:-(\\d{1,9}))?");

    @Override
    public EpisodeNumbers convert(String value) {
      List<Integer> numbers = new ArrayList<>();
      for (String part : value.split(",", -1)) {
        Matcher range = PART.matcher(part.strip());
        if (!range.matches()) {
          throw refusal(value);
        }
        int first = Integer.parseInt(range.group(1));
        int last = range.group(2) == null ? first : Integer.parseInt(range.group(2));
        if (last < first) {
          throw refusal(value);
        }
        for (int number = first; number <= last; number++) {
          if (!numbers.contains(number)) {
            numbers.add(number);
          }
        }
      }
      return new EpisodeNumbers(numbers);
    }

    private static TypeConversionException refusal(String value) {
      return new TypeConversionException(
          "'%s' is no list of episodes; expected one such as 3 or 0-4,7".formatted(value));
    }
  }
}
