package dev.pi0stream.job.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class SvgChartTest {
  @Test
  void aChartIsWellFormedWhateverItsNames() throws Exception {
    String svg =
        new SvgChart(300, 100, "a <title> & 'more'", "step", "error")
            .fromZero()
            .line("x < y", new double[] {0, 1, 2}, new double[] {0.1, Double.NaN, 0.3}, 0, false)
            .line("z", new double[] {0, 1, 2}, new double[] {1, 2, 3}, 1, true)
            .shade(0.5, 1.5)
            .svg();
    Document document =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader("<page>" + svg + "</page>")));
    assertThat(document.getElementsByTagName("path").getLength()).isEqualTo(2);
    assertThat(document.getElementsByTagName("title").item(0).getTextContent()).isEqualTo("x < y");
    // The number that is not finite interrupts the line.
    assertThat(
            document
                .getElementsByTagName("path")
                .item(0)
                .getAttributes()
                .getNamedItem("d")
                .getTextContent())
        .containsPattern("^M[^L]*M[^L]*$");
  }

  @Test
  void aChartOfNothingSaysSo() {
    assertThat(new SvgChart(300, 100, "t", "x", "y").svg()).contains("nothing to draw");
  }
}
