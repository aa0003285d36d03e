/** An Iceberg table, its oracle, and pyiceberg to read it. */
import assert from "node:assert/strict";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import type { DatabaseFixture } from "../../lib/testing/temporary.ts";
import { LakeModel } from "./lake_model.ts";
import type { Python } from "./python.ts";
import { type IcebergReport, readers } from "./readers.ts";
import type { UpkeepScene } from "./upkeep_steps.ts";

/** Options of {@linkcode IcebergModel}. */
export interface IcebergModelOptions {
  readonly definition: TableDefinition;
  readonly formatVersion: 2 | 3;
  readonly python: Python;
}

/** A table and its oracle. */
export class IcebergModel extends LakeModel<IcebergTable> {
  readonly #folder: string;
  readonly #options: IcebergModelOptions;
  /** For upkeep beside the model's own commits. */
  readonly scene: UpkeepScene;

  constructor(fixture: DatabaseFixture, options: IcebergModelOptions) {
    const { definition, formatVersion } = options;
    const { namespace, name } = definition;
    const folder = `iceberg/${namespace}/${name}`;
    const storage = new LocalStorage(fixture.folder);
    const { connection } = fixture;
    super(fixture, {
      definition,
      table: new IcebergTable({ storage, connection, folder, namespace, name, formatVersion }),
    });
    this.scene = { fixture, storage, table: this.table };
    this.#options = options;
    this.#folder = fixture.folder;
  }

  /** SELECT over the rows that pyiceberg reads at a tag. */
  async readTag(tag: string): Promise<string> {
    const { namespace, name } = this.definition;
    const { path, scan } = this.output(`at_${tag}`);
    const { python } = this.#options;
    await readers.pyiceberg({ python, lake: this.#folder, table: `${namespace}.${name}`, output: path, tag });
    return scan;
  }

  /** Compares the oracle with our own scan and with pyiceberg's, row by row, and gives what pyiceberg said. */
  async check(...filters: string[]): Promise<IcebergReport> {
    const { namespace, name, columns } = this.definition;
    const { path, scan } = this.output("pyiceberg");
    const { python, formatVersion } = this.#options;
    const table = `${namespace}.${name}`;
    const report = await readers.pyiceberg({ python, lake: this.#folder, table, output: path, filters });
    const state = (await this.table.load())!;
    await this.same((await this.table.scan(state)).sql, "our scan");
    await this.same(scan, "pyiceberg");
    assert.deepEqual(report.columns, columns.map((column) => column.name));
    assert.equal(BigInt(report.rows), state.rows);
    assert.equal(report.snapshotId ?? undefined, state.snapshotId?.toString());
    assert.equal(report.formatVersion, formatVersion);
    assert.equal(report.properties["weir.position"], this.position);
    return report;
  }
}
