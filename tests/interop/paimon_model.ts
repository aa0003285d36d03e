/** A Paimon table, its oracle, and other makers' readers of it. */
import assert from "node:assert/strict";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import { TableUpkeep } from "../../lib/sink/table_upkeep.ts";
import type { UpkeepWorker } from "../../lib/sink/upkeep_worker.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
import type { PaimonState } from "../../lib/table/paimon/table_state.ts";
import type { UpkeepPolicy } from "../../lib/table/upkeep.ts";
import type { DatabaseFixture } from "../../lib/testing/temporary.ts";
import { LakeModel } from "./lake_model.ts";
import type { PaimonDeed, PaimonJava } from "./paimon_java.ts";
import type { Python } from "./python.ts";
import { type PaimonReport, readers, type TableReading } from "./readers.ts";
import type { UpkeepScene } from "./upkeep_steps.ts";

/** Options of {@linkcode PaimonModel}. */
export interface PaimonModelOptions {
  readonly definition: TableDefinition;
  readonly python: Python;
  /** Where there is one, it reads as well. */
  readonly java?: PaimonJava | undefined;
  /** Default: the table's own. */
  readonly buckets?: number;
}

/** Who reads. The older pypaimon gives wrong values for columns that were renamed or came back with another type. */
export type PaimonReader = "pypaimon" | "olderPypaimon" | "java";

/** A table and its oracle. */
export class PaimonModel extends LakeModel<PaimonTable> {
  readonly #fixture: DatabaseFixture;
  readonly #connection: Connection;
  readonly #folder: string;
  readonly #python: Python;
  readonly #java: PaimonJava | undefined;

  constructor(fixture: DatabaseFixture, { definition, python, java, buckets }: PaimonModelOptions) {
    const { namespace, name } = definition;
    const { connection, folder } = fixture;
    const table = new PaimonTable({
      storage: new LocalStorage(folder),
      connection,
      folder: "paimon",
      namespace,
      name,
      ...(buckets === undefined ? {} : { buckets }),
    });
    super(fixture, { definition, table });
    this.#fixture = fixture;
    this.#connection = connection;
    this.#folder = folder;
    this.#python = python;
    this.#java = java;
  }

  /** All readers that there are. */
  get readers(): readonly PaimonReader[] {
    return ["olderPypaimon", ...this.newerReaders];
  }

  /** Those without the older pypaimon. */
  get newerReaders(): readonly PaimonReader[] {
    return this.#java === undefined ? ["pypaimon"] : ["pypaimon", "java"];
  }

  /** What upkeep steps work on. */
  get scene(): UpkeepScene {
    return { fixture: this.#fixture, storage: new LocalStorage(this.#folder), table: this.table };
  }

  /** Lets Paimon's own code change or maintain the table. */
  async byJava(deed: PaimonDeed): Promise<unknown> {
    const { namespace, name } = this.definition;
    return await this.#java!.change({ lake: this.#folder, table: `${namespace}.${name}` }, deed);
  }

  /** The table's upkeep, as a job does it on its own. */
  upkeep(policy: UpkeepPolicy, worker: UpkeepWorker): TableUpkeep {
    return new TableUpkeep({ table: this.table, storage: new LocalStorage(this.#folder), policy, worker });
  }

  /** {@linkcode check} by every reader but the older pypaimon. Gives what pypaimon said. */
  async checkByAll(...filters: readonly string[]): Promise<PaimonReport> {
    const reports: PaimonReport[] = [];
    for (const reader of this.newerReaders) reports.push(await this.check({ reader, filters }));
    return reports[0]!;
  }

  /**
   * Compares the oracle with our own scan and with that of a reader, row by row. Each filter must find as many rows as it
   * does in the oracle. Gives what the reader said.
   */
  async check(
    { reader, filters = [] }: { readonly reader: PaimonReader; readonly filters?: readonly string[] },
  ): Promise<PaimonReport> {
    const { columns } = this.definition;
    const { path, scan } = this.output(reader);
    const report = await this.#read(reader, { output: path, filters });
    // Upkeep commits beside the sink: the table knows what is newest.
    const state = (await this.table.load())!;
    await this.same((await this.table.scan(state)).sql, "our scan");
    await this.same(scan, `${reader} ${report.version}`);
    assert.deepEqual(report.columns, columns.map((column) => column.name));
    for (const { filter, rows } of report.planned) {
      assert.equal(rows, await this.count(filter), `${reader}: ${filter}`);
    }
    this.#checkSnapshot(report, state);
    return report;
  }

  /** Compares rows that were kept with what readers find under a tag. */
  async checkTag(tag: string, rows: string): Promise<void> {
    for (const reader of this.newerReaders) {
      const { path, scan } = this.output(`${reader}_at_${tag}`);
      await this.#read(reader, { output: path, tag });
      const differing = await this.#connection.value(
        `SELECT count(*) FROM ((${scan} EXCEPT ALL ${rows}) UNION ALL (${rows} EXCEPT ALL ${scan}))`,
      );
      assert.equal(differing, 0n, `${reader} at tag ${tag}`);
    }
  }

  async #read(
    reader: PaimonReader,
    what: Pick<TableReading, "output" | "filters" | "tag">,
  ): Promise<PaimonReport> {
    const { namespace, name } = this.definition;
    const reading = { ...what, python: this.#python, lake: this.#folder, table: `${namespace}.${name}` };
    return await (reader === "java" ? this.#java!.read(reading) : readers[reader](reading));
  }

  /** What the sink promises to put beside the rows. */
  #checkSnapshot({ snapshot }: PaimonReport, state: PaimonState): void {
    assert.ok(snapshot !== null);
    const { id, commitUser, commitIdentifier, totalRecordCount, properties } = snapshot;
    assert.equal(id, state.snapshotId?.toString());
    assert.equal(BigInt(totalRecordCount), state.rows);
    const { "weir.commit-uuid": uuid, ...rest } = properties ?? {};
    if (!commitUser.startsWith("weir")) {
      return assert.deepEqual(rest, {}, "another writer says nothing of our progress");
    }
    assert.match(uuid ?? "", /^[0-9a-f-]{36}$/);
    const isUpkeep = commitUser === "weir-upkeep";
    const progress = ["weir", String(this.steps)];
    const { "weir.writer": writer, "weir.writer-identifier": identifier, ...own } = rest;
    assert.deepEqual(isUpkeep ? [writer, identifier] : [commitUser, commitIdentifier], progress);
    assert.deepEqual(own, {
      // A merge shows the rows that stood there: the table is known at its position already.
      ...(isUpkeep ? { "weir.after": this.position } : {}),
      "weir.position": this.position,
      "weir.commit-time-ms": String(1_700_000_000_000 + this.steps),
    });
  }
}
