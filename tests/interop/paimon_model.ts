/** A Paimon table, its oracle, and pypaimon to read it. */
import assert from "node:assert/strict";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
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
export class PaimonModel extends LakeModel {
  readonly #folder: string;
  readonly #python: Python;

  constructor(fixture: DatabaseFixture, { definition, python, buckets }: PaimonModelOptions) {
    const { namespace, name } = definition;
    const { connection, folder } = fixture;
    super(fixture, {
      definition,
      table: new PaimonTable({
        storage: new LocalStorage(folder),
        connection,
        folder: "paimon",
        namespace,
        name,
        ...(buckets === undefined ? {} : { buckets }),
      }),
    });
    this.#folder = folder;
    this.#python = python;
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
    using own = await this.sink.scan();
    await this.same(own!.sql, "our scan");
    await this.same(scan, `pypaimon ${report.version}`);
    assert.deepEqual(report.columns, columns.map((column) => column.name));
    for (const { filter, rows } of report.planned) assert.equal(rows, await this.count(filter), filter);
    await this.#checkSnapshot(report);
    return report;
  }

  /** What the sink promises to put beside the rows. */
  async #checkSnapshot({ snapshot }: PaimonReport): Promise<void> {
    const status = await this.sink.status();
    assert.ok(snapshot !== null);
    const { id, commitUser, commitIdentifier, totalRecordCount, properties } = snapshot;
    assert.equal(id, status.snapshotId?.toString());
    assert.equal(BigInt(totalRecordCount), status.rows);
    assert.deepEqual([commitUser, commitIdentifier], ["weir", String(this.steps)]);
    const { "weir.commit-uuid": uuid, ...rest } = properties;
    assert.match(uuid ?? "", /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, {
      "weir.position": this.position,
      "weir.commit-time-ms": String(1_700_000_000_000 + this.steps),
    });
  }
}
