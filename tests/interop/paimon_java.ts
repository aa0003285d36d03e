/** Paimon's own Java code as a reader and a writer, in one process that starts beside a test file and ends with it. */
import { AnsweringProcess } from "./answering_process.ts";
import { javaProgram } from "./java_program.ts";
import type { PaimonReport, TableReading } from "./readers.ts";

/** A table of a lake: `namespace.name`. */
export interface LakePlace {
  readonly lake: string;
  readonly table: string;
}

/** What it does to a table. */
export type PaimonDeed =
  /** Makes a table with the columns of another. */
  | {
    readonly do: "create";
    readonly from: string;
    readonly key: readonly string[];
    readonly partitionBy: readonly string[];
    readonly options: Readonly<Record<string, string>>;
  }
  /** Writes the rows of another table, as rows (`+I`) or as deletions (`-D`). */
  | { readonly do: "write"; readonly from: string; readonly kind: "+I" | "-D" }
  /** Merges every bucket in full, or small files of a table without a key. */
  | { readonly do: "compact" }
  /** Expires all snapshots but the newest. */
  | { readonly do: "expire"; readonly keep: number }
  /** Takes partitions away whose time has passed; gives their values. */
  | { readonly do: "expirePartitions" }
  /** Removes files that it knows nothing of. */
  | { readonly do: "clean" };

/** It, while it runs. */
export class PaimonJava {
  readonly #process: AnsweringProcess;

  constructor(classPath: string) {
    // Tests are short: compiling well takes longer than it saves.
    const machine = [
      "-Xmx512m",
      "-XX:TieredStopAtLevel=1",
      "-XX:+UseSerialGC",
      "-Xshare:auto",
      "-Duser.timezone=UTC",
      "-ea",
    ];
    const args = [...machine, "-cp", classPath, "PaimonAnswering"];
    this.#process = new AnsweringProcess({ name: "Paimon", command: "java", args });
  }

  /** Reads a table as every other reader does. */
  async read({ lake, table, output, tag, filters = [] }: Omit<TableReading, "python">): Promise<PaimonReport> {
    return await this.#ask({ lake, table }, { do: "read", output, tag, filters }) as PaimonReport;
  }

  /** Changes or maintains a table. Gives what was done, as it says it. */
  async change(place: LakePlace, deed: PaimonDeed): Promise<unknown> {
    return await this.#ask(place, deed);
  }

  /** Ends it. */
  async close(): Promise<void> {
    await this.#process.close();
  }

  async #ask({ lake, table }: LakePlace, request: object): Promise<unknown> {
    return await this.#process.ask({ warehouse: `${lake}/paimon`, table, ...request });
  }
}

const found = await javaProgram({
  name: "paimon_java",
  project: "paimon_java/pom.xml",
  source: "paimon_java/PaimonAnswering.java",
});

/** It, for a test file. */
export class PaimonJavaTests {
  /** Why there is none. */
  readonly missing: string | undefined = "missing" in found ? found.missing : undefined;
  #running: PaimonJava | undefined;

  constructor() {
    if ("missing" in found) {
      Deno.test({ name: `Paimon's Java code reads as well (skipped: ${found.missing})`, ignore: true, fn: () => {} });
      return;
    }
    Deno.test.beforeAll(() => {
      this.#running = new PaimonJava(found.classPath);
    });
    Deno.test.afterAll(async () => {
      await this.#running?.close();
    });
  }

  /** While a test runs; undefined where there is none. */
  get running(): PaimonJava | undefined {
    return this.#running;
  }
}
