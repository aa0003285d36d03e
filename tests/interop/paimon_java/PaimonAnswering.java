import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.paimon.AppendOnlyFileStore;
import org.apache.paimon.Snapshot;
import org.apache.paimon.append.AppendCompactCoordinator;
import org.apache.paimon.append.AppendCompactTask;
import org.apache.paimon.catalog.Catalog;
import org.apache.paimon.catalog.CatalogContext;
import org.apache.paimon.catalog.CatalogFactory;
import org.apache.paimon.catalog.Identifier;
import org.apache.paimon.data.BinaryRow;
import org.apache.paimon.data.InternalRow;
import org.apache.paimon.data.Timestamp;
import org.apache.paimon.disk.IOManager;
import org.apache.paimon.format.FileFormat;
import org.apache.paimon.format.FormatWriter;
import org.apache.paimon.fs.Path;
import org.apache.paimon.fs.PositionOutputStream;
import org.apache.paimon.fs.local.LocalFileIO;
import org.apache.paimon.operation.BaseAppendFileStoreWrite;
import org.apache.paimon.operation.LocalOrphanFilesClean;
import org.apache.paimon.options.ExpireConfig;
import org.apache.paimon.options.Options;
import org.apache.paimon.predicate.Predicate;
import org.apache.paimon.predicate.PredicateBuilder;
import org.apache.paimon.reader.RecordReader;
import org.apache.paimon.schema.Schema;
import org.apache.paimon.shade.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.paimon.shade.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.paimon.table.FileStoreTable;
import org.apache.paimon.table.sink.BatchTableCommit;
import org.apache.paimon.table.sink.BatchTableWrite;
import org.apache.paimon.table.sink.BatchWriteBuilder;
import org.apache.paimon.table.sink.CommitMessage;
import org.apache.paimon.table.source.DataSplit;
import org.apache.paimon.table.source.ReadBuilder;
import org.apache.paimon.table.source.Split;
import org.apache.paimon.table.source.TableRead;
import org.apache.paimon.types.DataField;
import org.apache.paimon.types.DataType;
import org.apache.paimon.types.RowKind;
import org.apache.paimon.types.RowType;
import org.apache.paimon.utils.TypeUtils;

/**
 * Paimon's own code as reader and writer: one JSON request a line in, one JSON answer a line out.
 *
 * <p>Every request names a {@code warehouse}, a {@code table} ({@code database.table}) and what to {@code do}:
 *
 * <ul>
 *   <li>{@code read}: writes all rows to {@code output} as Parquet, at a {@code tag} or {@code snapshot} if one is given, and plans and
 *       reads by each of the {@code filters} ({@code COLUMN OPERATOR VALUE}, several joined by {@code and});
 *   <li>{@code create}: a table with the columns of another, {@code from}, a {@code key}, {@code partitionBy} and {@code options};
 *   <li>{@code write}: the rows of another table, {@code from}, as rows of a {@code kind} (+I, -D);
 *   <li>{@code compact}: every bucket in full, or all small files of a table without a key;
 *   <li>{@code expire}: all snapshots but the newest {@code keep};
 *   <li>{@code expirePartitions}: those whose time has passed, and answers with their values;
 *   <li>{@code clean}: removes files that it knows nothing of, and answers with their names.
 * </ul>
 */
public class PaimonAnswering {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern CONDITION = Pattern.compile("(.+?) (<=|>=|<|>|=) (.+)");

  private final IOManager spill;

  private PaimonAnswering(IOManager spill) {
    this.spill = spill;
  }

  public static void main(String[] none) throws Exception {
    PrintStream answers = System.out;
    // What a library prints is no answer.
    System.setOut(System.err);
    java.nio.file.Path folder = Files.createTempDirectory("paimon-");
    folder.toFile().deleteOnExit();
    PaimonAnswering answering = new PaimonAnswering(IOManager.create(folder.toString()));
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      answers.println(JSON.writeValueAsString(answering.answer(JSON.readTree(line))));
      answers.flush();
    }
    answering.spill.close();
    System.exit(0);
  }

  private Map<String, Object> answer(JsonNode request) {
    try {
      return Map.of("report", report(request));
    } catch (Throwable thrown) {
      return Map.of("error", words(thrown));
    }
  }

  private Object report(JsonNode request) throws Exception {
    if (request.get("do").asText().equals("create")) return create(request);
    FileStoreTable table = open(request, "table");
    switch (request.get("do").asText()) {
      case "read":
        return read(table, request);
      case "write":
        return write(table, open(request, "from"), RowKind.fromShortString(request.get("kind").asText()));
      case "compact":
        FileStoreTable compacting = table.copy(Map.of("write-only", "false"));
        return table.primaryKeys().isEmpty() ? compactAppended(compacting) : compactBuckets(compacting);
      case "expire":
        return expire(table, request.get("keep").asInt());
      case "expirePartitions":
        return expirePartitions(table.copy(Map.of("partition.expiration-check-interval", "0 s")));
      case "clean":
        long later = System.currentTimeMillis() + Duration.ofDays(1).toMillis();
        return new LocalOrphanFilesClean(table, later, false).clean().getDeletedFilesPath().stream().map(Path::toString).toList();
      default:
        throw new IllegalArgumentException("unknown request " + request);
    }
  }

  /** The table as any engine opens it: through a catalog, with options of a query. */
  private static FileStoreTable open(JsonNode request, String key) throws Exception {
    try (Catalog catalog = catalog(request)) {
      Map<String, String> options = new HashMap<>();
      if (request.hasNonNull("tag")) options.put("scan.tag-name", request.get("tag").asText());
      if (request.hasNonNull("snapshot")) options.put("scan.snapshot-id", request.get("snapshot").asText());
      return (FileStoreTable) catalog.getTable(Identifier.fromString(request.get(key).asText())).copy(options);
    }
  }

  private static Catalog catalog(JsonNode request) {
    return CatalogFactory.createCatalog(CatalogContext.create(new Path(request.get("warehouse").asText())));
  }

  private static boolean create(JsonNode request) throws Exception {
    Schema.Builder schema = Schema.newBuilder().primaryKey(texts(request, "key")).partitionKeys(texts(request, "partitionBy"));
    request.get("options").fields().forEachRemaining((option) -> schema.option(option.getKey(), option.getValue().asText()));
    for (DataField field : open(request, "from").rowType().getFields()) schema.column(field.name(), field.type());
    try (Catalog catalog = catalog(request)) {
      catalog.createTable(Identifier.fromString(request.get("table").asText()), schema.build(), false);
    }
    return true;
  }

  private static List<String> texts(JsonNode request, String key) {
    List<String> found = new ArrayList<>();
    for (JsonNode text : request.withArray(key)) found.add(text.asText());
    return found;
  }

  private Map<String, Object> read(FileStoreTable table, JsonNode request) throws Exception {
    List<Split> splits = table.newReadBuilder().newScan().plan().splits();
    Map<String, Object> report = new HashMap<>();
    report.put("version", "Java " + FileStoreTable.class.getPackage().getImplementationVersion());
    report.put("columns", table.rowType().getFieldNames());
    report.put("rows", writeParquet(rowsOf(table.newReadBuilder(), splits), table.rowType(), request.get("output").asText()));
    report.put("totalFiles", fileCount(splits));
    report.put("buckets", new TreeSet<>(splits.stream().map((split) -> ((DataSplit) split).bucket()).toList()).size());
    report.put("merged", fileCount(splits.stream().filter((split) -> !((DataSplit) split).rawConvertible()).toList()));
    report.put("snapshot", table.latestSnapshot().map(PaimonAnswering::described).orElse(null));
    List<Map<String, Object>> planned = new ArrayList<>();
    for (JsonNode filter : request.withArray("filters")) planned.add(planned(table, filter.asText()));
    report.put("planned", planned);
    return report;
  }

  private Map<String, Object> planned(FileStoreTable table, String filter) throws Exception {
    ReadBuilder builder = table.newReadBuilder().withFilter(predicate(table.rowType(), filter));
    List<Split> splits = builder.newScan().plan().splits();
    long[] rows = {0};
    try (RecordReader<InternalRow> found = rowsOf(builder, splits)) {
      found.forEachRemaining((row) -> rows[0]++);
    }
    return Map.of("filter", filter, "files", fileCount(splits), "rows", rows[0]);
  }

  private RecordReader<InternalRow> rowsOf(ReadBuilder builder, List<Split> splits) throws IOException {
    TableRead read = builder.newRead().executeFilter().withIOManager(spill);
    return read.createReader(splits);
  }

  private static Map<String, Object> described(Snapshot snapshot) {
    Map<String, String> properties = snapshot.properties();
    return Map.of(
        "id", Long.toString(snapshot.id()),
        "schemaId", snapshot.schemaId(),
        "commitUser", snapshot.commitUser(),
        "commitIdentifier", Long.toString(snapshot.commitIdentifier()),
        "commitKind", snapshot.commitKind().toString(),
        "totalRecordCount", snapshot.totalRecordCount(),
        "properties", properties == null ? Map.of() : properties);
  }

  private static long fileCount(List<Split> splits) {
    return splits.stream().mapToLong((split) -> ((DataSplit) split).dataFiles().size()).sum();
  }

  private static Predicate predicate(RowType type, String filter) {
    PredicateBuilder builder = new PredicateBuilder(type);
    List<Predicate> parts = new ArrayList<>();
    for (String part : filter.split("(?i) and ")) {
      Matcher condition = CONDITION.matcher(part);
      if (!condition.matches()) throw new IllegalArgumentException("no condition: " + part);
      int column = builder.indexOf(condition.group(1));
      DataField field = type.getFields().get(column);
      Object value = value(field.type(), condition.group(3).replaceAll("^'|'$", ""));
      switch (condition.group(2)) {
        case "=":
          parts.add(builder.equal(column, value));
          break;
        case "<":
          parts.add(builder.lessThan(column, value));
          break;
        case "<=":
          parts.add(builder.lessOrEqual(column, value));
          break;
        case ">":
          parts.add(builder.greaterThan(column, value));
          break;
        default:
          parts.add(builder.greaterOrEqual(column, value));
      }
    }
    return PredicateBuilder.and(parts);
  }

  private static Object value(DataType type, String text) {
    switch (type.getTypeRoot()) {
      case TIMESTAMP_WITH_LOCAL_TIME_ZONE:
        return Timestamp.fromInstant(OffsetDateTime.parse(text).toInstant());
      case TIMESTAMP_WITHOUT_TIME_ZONE:
        return Timestamp.fromLocalDateTime(LocalDateTime.parse(text));
      default:
        return TypeUtils.castFromString(text, type);
    }
  }

  private static long writeParquet(RecordReader<InternalRow> rows, RowType type, String output) throws Exception {
    FileFormat format = FileFormat.fromIdentifier("parquet", new Options());
    long[] count = {0};
    try (rows; PositionOutputStream out = LocalFileIO.create().newOutputStream(new Path(output), true)) {
      try (FormatWriter writer = format.createWriterFactory(type).create(out, "snappy")) {
        rows.forEachRemaining((row) -> {
          try {
            writer.addElement(row);
          } catch (IOException failed) {
            throw new UncheckedIOException(failed);
          }
          count[0]++;
        });
      }
    }
    return count[0];
  }

  private long write(FileStoreTable table, FileStoreTable from, RowKind kind) throws Exception {
    BatchWriteBuilder builder = table.newBatchWriteBuilder();
    ReadBuilder source = from.newReadBuilder();
    long count = 0;
    try (BatchTableWrite write = builder.newWrite(); BatchTableCommit commit = builder.newCommit()) {
      write.withIOManager(spill);
      try (var rows = rowsOf(source, source.newScan().plan().splits()).toCloseableIterator()) {
        for (; rows.hasNext(); count++) {
          InternalRow row = rows.next();
          row.setRowKind(kind);
          write.write(row);
        }
      }
      commit.commit(write.prepareCommit());
    }
    return count;
  }

  private long compactBuckets(FileStoreTable table) throws Exception {
    BatchWriteBuilder builder = table.newBatchWriteBuilder();
    try (BatchTableWrite write = builder.newWrite(); BatchTableCommit commit = builder.newCommit()) {
      write.withIOManager(spill);
      for (BinaryRow partition : table.newSnapshotReader().partitions()) {
        for (int bucket = 0; bucket < table.coreOptions().bucket(); bucket++) write.compact(partition, bucket, true);
      }
      List<CommitMessage> messages = write.prepareCommit();
      commit.commit(messages);
      return messages.size();
    }
  }

  private static long compactAppended(FileStoreTable table) throws Exception {
    BatchWriteBuilder builder = table.newBatchWriteBuilder();
    List<CommitMessage> messages = new ArrayList<>();
    BaseAppendFileStoreWrite write = ((AppendOnlyFileStore) table.store()).newWrite("java");
    try (BatchTableCommit commit = builder.newCommit()) {
      for (AppendCompactTask task : new AppendCompactCoordinator(table, false).run()) messages.add(task.doCompact(table, write));
      commit.commit(messages);
    } finally {
      write.close();
    }
    return messages.size();
  }

  private static int expire(FileStoreTable table, int keep) {
    ExpireConfig.Builder config = ExpireConfig.builder().snapshotRetainMin(1).snapshotRetainMax(keep);
    return table.newExpireSnapshots().config(config.snapshotTimeRetain(Duration.ZERO).build()).expire();
  }

  private static List<Map<String, String>> expirePartitions(FileStoreTable table) {
    List<Map<String, String>> expired = table.store().newPartitionExpire("java", table).expire(Long.MAX_VALUE);
    return expired == null ? List.of() : expired;
  }

  private static String words(Throwable thrown) {
    StackTraceElement[] trace = thrown.getStackTrace();
    String at = trace.length == 0 ? "" : "\n  at " + trace[0];
    return thrown + at + (thrown.getCause() == null ? "" : "\nbecause of " + words(thrown.getCause()));
  }
}
