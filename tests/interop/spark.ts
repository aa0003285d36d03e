/**
 * Apache Spark in one process, with the Iceberg, Paimon and Delta runtimes. It starts beside a test file and ends with it, as starting
 * takes seconds.
 */
import { join } from "node:path";
import { AnsweringProcess } from "./answering_process.ts";
import { javaProgram } from "./java_program.ts";
import type { SparkFormat } from "./readers.ts";

/** What Spark says of rows. */
export interface SparkAnswer {
  readonly columns: readonly string[];
  /** How many went into the output. */
  readonly rows: number;
  /** Without an output: the rows, as JSON objects without the columns that are null. */
  readonly values: readonly string[];
}

const session = {
  "spark.master": "local[1]",
  "spark.ui.enabled": "false",
  "spark.log.level": "ERROR",
  "spark.driver.host": "127.0.0.1",
  "spark.driver.bindAddress": "127.0.0.1",
  "spark.sql.session.timeZone": "UTC",
  "spark.sql.shuffle.partitions": "1",
  "spark.databricks.delta.snapshotPartitions": "1",
  // A test does not wait for days before it vacuums.
  "spark.databricks.delta.retentionDurationCheck.enabled": "false",
  "spark.sql.sources.parallelPartitionDiscovery.parallelism": "1",
  // Tables are small: making code for each query takes longer than it saves.
  "spark.sql.codegen.wholeStage": "false",
  "spark.sql.codegen.factoryMode": "NO_CODEGEN",
  "spark.sql.adaptive.enabled": "false",
  "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
  "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
};

/** What adds statements to the session. Iceberg's does not know what to do with a change of a Delta table, and stops. */
const extensions = {
  iceberg: "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
  delta: "io.delta.sql.DeltaSparkSessionExtension",
  paimon: "org.apache.paimon.spark.extensions.PaimonSparkSessionExtensions",
} as const;

/** Packages of the JDK that Spark looks into. */
const opened = ["lang", "lang.invoke", "lang.reflect", "io", "net", "nio", "util", "util.concurrent"]
  .map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`)
  .concat(["sun.nio.ch", "sun.util.calendar"].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`));

/** Where Spark is, and what it is started for. */
interface SparkOptions {
  readonly folder: string;
  readonly classPath: string;
  /** Formats whose tables are changed and maintained; all are read, but Delta only where it is among them. */
  readonly writes: readonly SparkFormat[];
  /** Keeps what was loaded, so that later starts find it prepared: it saves most of their time. */
  readonly isRecorded?: boolean;
}

/** Spark while it runs. */
export class Spark {
  readonly #process: AnsweringProcess;
  readonly #catalogs = new Map<string, string>();

  constructor({ folder, classPath, writes, isRecorded = false }: SparkOptions) {
    const all = { ...session, "spark.sql.extensions": writes.map((format) => extensions[format]).join() };
    const settings = Object.entries(all).map(([name, value]) => `${name}=${value}`);
    // Tests are short: compiling well takes longer than it saves.
    const machine = ["-Xmx1536m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
    const archive = `-XX:${isRecorded ? "ArchiveClassesAtExit" : "SharedArchiveFile"}=${join(folder, "classes.jsa")}`;
    // What the machine itself remarks would stand between the answers.
    const args = [...machine, "-Xlog:disable", archive, ...opened, "-cp", classPath, "Answering", ...settings];
    this.#process = new AnsweringProcess({ name: "Spark", command: "java", args });
  }

  /** Runs statements and gives the last one's rows as objects, or writes them as one Parquet file. */
  async run(statements: readonly string[], output?: string): Promise<SparkAnswer> {
    return await this.#process.ask({ statements, output }) as SparkAnswer;
  }

  /** Name of a catalog with given settings, which is made where there is none yet. */
  async catalog(implementation: string, options: Readonly<Record<string, string>>): Promise<string> {
    const wanted = JSON.stringify([implementation, options]);
    const known = this.#catalogs.get(wanted);
    if (known !== undefined) return known;
    const name = `catalog_${this.#catalogs.size}`;
    const settings = Object.entries(options).map(([option, value]) => [`.${option}`, value] as const);
    const all = [["", implementation] as const, ...settings];
    await this.run(all.map(([option, value]) => `SET \`spark.sql.catalog.${name}${option}\` = \`${value}\``));
    this.#catalogs.set(wanted, name);
    return name;
  }

  /** Ends it. */
  async close(): Promise<void> {
    await this.#process.close();
  }
}

const found = await javaProgram({
  name: "spark",
  project: "spark/pom.xml",
  source: "spark/Answering.java",
  finish: async ({ folder, classPath }) => {
    const spark = new Spark({ folder, classPath, writes: ["delta"], isRecorded: true });
    const table = `delta.\`${join(folder, "recorded")}\``;
    try {
      await spark.run([`CREATE OR REPLACE TABLE ${table} USING delta AS SELECT 1 AS id`]);
      await spark.run([`SELECT * FROM ${table} WHERE id > 0`], join(folder, "recorded.parquet"));
    } finally {
      await spark.close();
    }
  },
});

/** Spark of a test file: its body is given to tests by {@linkcode SparkTests.test}. */
export class SparkTests {
  /** Why there is none. */
  readonly missing: string | undefined = "missing" in found ? found.missing : undefined;
  #running: Spark | undefined;

  /** @param writes Formats whose tables are changed and maintained; all are read, but Delta only where it is among them. */
  constructor(writes: readonly SparkFormat[]) {
    if ("missing" in found) return;
    // It starts while the first test makes its table.
    Deno.test.beforeAll(() => {
      this.#running = new Spark({ ...found, writes });
    });
    Deno.test.afterAll(async () => {
      await this.#running?.close();
    });
  }

  /** While a test runs; undefined where there is none. */
  get running(): Spark | undefined {
    return this.#running;
  }

  /** Declares a test; without Spark it is reported as skipped, with the reason in its name. */
  test(name: string, body: (spark: Spark, test: Deno.TestContext) => Promise<void>): void {
    if (this.missing === undefined) Deno.test(name, (test) => body(this.#running!, test));
    else Deno.test({ name: `${name} (skipped: ${this.missing})`, ignore: true, fn: () => {} });
  }
}
