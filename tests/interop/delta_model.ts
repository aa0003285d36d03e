/** A Delta table, its oracle, and deltalake to read it. */
import assert from "node:assert/strict";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { DeltaTable } from "../../lib/table/delta/delta_table.ts";
import { checkpointEvery } from "../../lib/testing/delta_lake.ts";
import type { DatabaseFixture } from "../../lib/testing/temporary.ts";
import { LakeModel } from "./lake_model.ts";
import type { Python } from "./python.ts";
import { type DeltaReport, readers } from "./readers.ts";

/** Options of {@linkcode DeltaModel}. */
export interface DeltaModelOptions {
  readonly definition: TableDefinition;
  readonly deletes?: "vectors" | "rewrite";
  /** Commits from one checkpoint to the next. Default: the table's own. */
  readonly checkpointInterval?: number;
  readonly python: Python;
}

/** A table and its oracle. */
export class DeltaModel extends LakeModel {
  /** The table itself, beside the sink that writes it. */
  readonly delta: DeltaTable;
  /** Below the storage root. */
  readonly tableFolder: string;
  readonly storage: LocalStorage;
  readonly #folder: string;
  readonly #python: Python;

  constructor(fixture: DatabaseFixture, { definition, python, deletes, checkpointInterval }: DeltaModelOptions) {
    const { namespace, name } = definition;
    const folder = `delta/${namespace}/${name}`;
    const storage = new LocalStorage(fixture.folder);
    const delta = new DeltaTable({
      ...{ storage, connection: fixture.connection, folder, namespace, name },
      ...(deletes === undefined ? {} : { deletes }),
      ...(checkpointInterval === undefined ? {} : checkpointEvery(checkpointInterval)),
    });
    super(fixture, { definition, table: delta });
    this.delta = delta;
    this.tableFolder = folder;
    this.storage = storage;
    this.#folder = fixture.folder;
    this.#python = python;
  }

  /** Compares the oracle with our own scan and with deltalake's, row by row, and gives what deltalake said. */
  async check(...filters: string[]): Promise<DeltaReport> {
    const { columns } = this.definition;
    const { scan } = this.output("deltalake");
    const report = await this.read({ filters });
    const state = (await this.delta.load())!;
    await this.same((await this.delta.scan(state)).sql, "our scan");
    await this.same(scan, "deltalake");
    if (typeof report.arrow === "number") await this.same(scan.replace(".parquet'", ".parquet.arrow'"), "pyarrow");
    assert.deepEqual(report.columns, columns.map((column) => column.name));
    assert.equal(BigInt(report.rows), state.rows);
    assert.equal(report.version, state.version);
    assert.equal(report.position, this.position);
    return report;
  }

  /** What deltalake says of the newest version, or of another one. */
  async read(of: { readonly version?: number; readonly filters?: readonly string[] } = {}): Promise<DeltaReport> {
    const { namespace, name } = this.definition;
    const { path } = this.output("deltalake");
    const reading = { python: this.#python, lake: this.#folder, table: `${namespace}.${name}`, output: path };
    return await readers.deltalake({ ...reading, ...of });
  }
}
