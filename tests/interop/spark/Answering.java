import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Keeps Spark answering, as starting it takes longer than most readings: one JSON request a line in, one JSON answer a line out.
 *
 * <p>A request is {@code {"statements": [SQL, ...], "output": FILE}}. The last statement's rows are written as one Parquet
 * file, so that they can be compared with exact types; without an output they are given as JSON, each an object. Settings of the session
 * are the program's arguments, {@code NAME=VALUE}.
 */
public class Answering {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] settings) throws Exception {
    PrintStream answers = System.out;
    // What a library prints is no answer.
    System.setOut(System.err);
    SparkSession.Builder builder = SparkSession.builder();
    for (String setting : settings) {
      int equals = setting.indexOf('=');
      builder.config(setting.substring(0, equals), setting.substring(equals + 1));
    }
    SparkSession spark = builder.getOrCreate();
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      answers.println(JSON.writeValueAsString(answer(spark, JSON.readTree(line))));
      answers.flush();
    }
    System.exit(0);
  }

  private static Map<String, Object> answer(SparkSession spark, JsonNode request) {
    try {
      Dataset<Row> rows = null;
      for (JsonNode statement : request.get("statements")) rows = spark.sql(statement.asText());
      List<String> columns = List.of(rows.columns());
      if (!request.hasNonNull("output")) {
        return Map.of("report", Map.of("columns", columns, "values", rows.toJSON().collectAsList()));
      }
      long written = write(rows, Path.of(request.get("output").asText()));
      return Map.of("report", Map.of("columns", columns, "rows", written));
    } catch (Throwable thrown) {
      return Map.of("error", words(thrown));
    }
  }

  private static long write(Dataset<Row> rows, Path output) throws Exception {
    Path folder = output.resolveSibling(output.getFileName() + ".parts");
    rows.coalesce(1).write().mode("overwrite").parquet(folder.toString());
    try (DirectoryStream<Path> parts = Files.newDirectoryStream(folder, "*.parquet")) {
      Files.move(parts.iterator().next(), output, StandardCopyOption.REPLACE_EXISTING);
    }
    HadoopInputFile file = HadoopInputFile.fromPath(new org.apache.hadoop.fs.Path(output.toString()), new Configuration());
    try (ParquetFileReader reader = ParquetFileReader.open(file)) {
      return reader.getRecordCount();
    }
  }

  private static String words(Throwable thrown) {
    StackTraceElement[] trace = thrown.getStackTrace();
    String at = trace.length == 0 ? "" : "\n  at " + trace[0];
    return thrown + at + (thrown.getCause() == null ? "" : "\nbecause of " + words(thrown.getCause()));
  }
}
