/** A Paimon table, its oracle, and pypaimon to read it. */
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
import type { Python } from "./python.ts";
import { type PaimonReport, readers } from "./readers.ts";

/** Options of {@linkcode PaimonModel}. */
export interface PaimonModelOptions {
  readonly definition: TableDefinition;
  readonly python: Python;
  /** Default: the table's own. */
  readonly buckets?: number;
}

/** Releases of pypaimon. `older` gives wrong values for columns that were renamed or came back with another type. */
export type PypaimonRelease = "newer" | "older";

const releases = { newer: readers.pypaimon, older: readers.olderPypaimon } as const;

/** A table and its oracle. */
export class PaimonModel extends LakeModel<PaimonTable> {
  readonly #connection: Connection;
  readonly #folder: string;
  readonly #python: Python;

  constructor(fixture: DatabaseFixture, { definition, python, buckets }: PaimonModelOptions) {
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
    this.#connection = connection;
    this.#folder = folder;
    this.#python = python;
  }

  /** The table's upkeep, as a job does it on its own. */
  upkeep(policy: UpkeepPolicy, worker: UpkeepWorker): TableUpkeep {
    return new TableUpkeep({ table: this.table, storage: new LocalStorage(this.#folder), policy, worker });
  }

  /**
   * Compares the oracle with our own scan and with that of a pypaimon, row by row. Each filter must find as many rows as
   * it does in the oracle. Gives what pypaimon said.
   */
  async check({ release = "newer", filters = [] }: {
    readonly release?: PypaimonRelease;
    readonly filters?: readonly string[];
  } = {}): Promise<PaimonReport> {
    const { namespace, name, columns } = this.definition;
    const { path, scan } = this.output(release);
    const table = `${namespace}.${name}`;
    const report = await releases[release]({ python: this.#python, lake: this.#folder, table, output: path, filters });
    // Upkeep commits beside the sink: the table knows what is newest.
    const state = (await this.table.load())!;
    await this.same((await this.table.scan(state)).sql, "our scan");
    await this.same(scan, `pypaimon ${report.version}`);
    assert.deepEqual(report.columns, columns.map((column) => column.name));
    for (const { filter, rows } of report.planned) assert.equal(rows, await this.count(filter), filter);
    this.#checkSnapshot(report, state);
    return report;
  }

  /** Compares rows that were kept with what a pypaimon finds under a tag. */
  async checkTag(tag: string, rows: string): Promise<void> {
    const { namespace, name } = this.definition;
    const { path, scan } = this.output(`tag_${tag}`);
    const table = `${namespace}.${name}`;
    await readers.pypaimon({ python: this.#python, lake: this.#folder, table, output: path, tag });
    const differing = await this.#connection.value(
      `SELECT count(*) FROM ((${scan} EXCEPT ALL ${rows}) UNION ALL (${rows} EXCEPT ALL ${scan}))`,
    );
    assert.equal(differing, 0n, `pypaimon at tag ${tag}`);
  }

  /** What the sink promises to put beside the rows. */
  #checkSnapshot({ snapshot }: PaimonReport, state: PaimonState): void {
    assert.ok(snapshot !== null);
    const { id, commitUser, commitIdentifier, totalRecordCount, properties } = snapshot;
    assert.equal(id, state.snapshotId?.toString());
    assert.equal(BigInt(totalRecordCount), state.rows);
    const { "weir.commit-uuid": uuid, ...rest } = properties;
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
