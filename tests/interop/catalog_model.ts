/** An Iceberg table in a REST catalog, its oracle, and pyiceberg to read and write it. */
import assert from "node:assert/strict";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import { RestCatalog } from "../../lib/table/iceberg/rest/rest_catalog.ts";
import { RestTable } from "../../lib/table/iceberg/rest/rest_table.ts";
import type { DatabaseFixture } from "../../lib/testing/temporary.ts";
import { LakeModel } from "./lake_model.ts";
import type { Python } from "./python.ts";

/** A catalog and what uses it. */
export interface CatalogScene {
  readonly fixture: DatabaseFixture;
  readonly python: Python;
  readonly uri: string;
  readonly namespace: string;
}

/** What `iceberg_catalog.py` says of a table. */
export interface CatalogReport {
  readonly rows: number;
  readonly columns: readonly string[];
  readonly snapshotId: string | null;
  readonly formatVersion: number;
  readonly location: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly summaries: readonly Readonly<Record<string, string>>[];
}

/** A table and its oracle. */
export class CatalogModel extends LakeModel<IcebergTable> {
  readonly #scene: CatalogScene;

  constructor(scene: CatalogScene, declared: TableDefinition, formatVersion: 2 | 3) {
    const { fixture: { folder, connection }, uri, namespace } = scene;
    const definition = { ...declared, namespace };
    const { name } = definition;
    const storage = new LocalStorage(folder);
    const at = { storage, connection, folder: `iceberg/${namespace}/${name}`, namespace, name, formatVersion };
    const catalog = new RestCatalog({ uri, credentials: { kind: "none" } });
    const table = new IcebergTable({ ...at, catalog: new RestTable({ catalog, storage, namespace, name }) });
    super(scene.fixture, { definition, table });
    this.#scene = scene;
  }

  /** Asks `iceberg_catalog.py`. */
  async pyiceberg<T = string>(operation: string, ...args: readonly string[]): Promise<T> {
    const { python, uri } = this.#scene;
    const { namespace, name } = this.definition;
    const catalog = JSON.stringify({ uri });
    return await python.run({
      script: "iceberg_catalog.py",
      args: [catalog, operation, `${namespace}.${name}`, ...args],
    });
  }

  /** Compares the oracle with our own scan and with pyiceberg's, row by row, and gives what pyiceberg said. */
  async check(): Promise<CatalogReport> {
    const { path, scan } = this.output("pyiceberg");
    const report = await this.pyiceberg<CatalogReport>("read", path);
    await this.same((await this.sink.scan())!.sql, "our scan");
    await this.same(scan, "pyiceberg");
    const status = await this.sink.status();
    assert.deepEqual(report.columns, this.definition.columns.map(({ name }) => name));
    assert.equal(BigInt(report.rows), status.rows);
    assert.equal(report.snapshotId, status.snapshotId?.toString());
    assert.equal(report.properties["weir.position"], this.position);
    return report;
  }
}
