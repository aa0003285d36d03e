/** An Iceberg table with its mirrors in Delta and Paimon, its oracle, and the readers of all three formats. */
import assert from "node:assert/strict";
import { formatPosition } from "../../lib/change/position.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { DeltaMirror } from "../../lib/table/delta/mirror_table.ts";
import { DeltaTable } from "../../lib/table/delta/delta_table.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import type { HistoricTable } from "../../lib/table/lake_table.ts";
import { TableMirror } from "../../lib/table/mirror/table_mirror.ts";
import { PaimonMirror } from "../../lib/table/paimon/mirror_table.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
import type { DatabaseFixture } from "../../lib/testing/temporary.ts";
import { LakeModel } from "./lake_model.ts";
import type { PaimonJava } from "./paimon_java.ts";
import type { Python } from "./python.ts";
import { type DeltaReport, type PaimonReport, readers } from "./readers.ts";
import type { UpkeepScene } from "./upkeep_steps.ts";

/** Options of {@linkcode MirrorModel}. */
export interface MirrorModelOptions {
  readonly definition: TableDefinition;
  readonly formatVersion: 2 | 3;
  /** Default: an hour. */
  readonly keepMs?: number;
  /** Default: both. */
  readonly formats?: readonly ("delta" | "paimon")[];
}

/** A table, its mirrors and its oracle. */
export class MirrorModel extends LakeModel<IcebergTable> {
  readonly scene: UpkeepScene;
  readonly storage: LocalStorage;
  readonly #fixture: DatabaseFixture;
  readonly #options: MirrorModelOptions;
  mirror: TableMirror;
  /** What went wrong with mirrors. */
  readonly trouble: string[] = [];

  constructor(fixture: DatabaseFixture, options: MirrorModelOptions) {
    const { definition, formatVersion } = options;
    const { namespace, name } = definition;
    const storage = new LocalStorage(fixture.folder);
    const at = { storage, connection: fixture.connection, namespace, name };
    super(fixture, {
      definition,
      table: new IcebergTable({ ...at, folder: `iceberg/${namespace}/${name}`, formatVersion }),
    });
    this.storage = storage;
    this.scene = { fixture, storage, table: this.table };
    this.#fixture = fixture;
    this.#options = options;
    this.mirror = this.reopened();
  }

  /** Makes the table, which says who will show it. */
  override async create(): Promise<void> {
    await super.create();
    await this.table.setMirroredAs((await this.table.load())!, this.mirror.formats);
  }

  /** Mirrors as a new process has them. */
  reopened(): TableMirror {
    const { definition: { namespace, name }, keepMs = 3_600_000, formats = ["delta", "paimon"] } = this.#options;
    const { storage } = this;
    const { connection } = this.#fixture;
    const targets = [
      new DeltaMirror({ storage, connection, folder: `delta/${namespace}/${name}`, namespace, name, keepMs }),
      new PaimonMirror({ storage, folder: "paimon", namespace, name, keepMs }),
    ];
    return this.mirror = new TableMirror({
      primary: this.table,
      targets: targets.filter(({ format }) => formats.includes(format)),
      storage,
      connection,
      onTrouble: ({ format }, error) => this.trouble.push(`${format}: ${error.message} ${error.cause ?? ""}`),
    });
  }

  /** Folder that everything lies in. */
  get folder(): string {
    return this.#fixture.folder;
  }

  /** Lets the mirrors come to the newest snapshot. */
  async followed(): Promise<void> {
    this.mirror.follow((await this.table.load())!);
    await this.mirror.settled();
    assert.deepEqual(this.trouble, []);
  }

  /** The mirrors as any reader of ours opens them. */
  tables(): { readonly delta: HistoricTable; readonly paimon: HistoricTable } {
    const { namespace, name } = this.definition;
    const at = { storage: this.storage, connection: this.#fixture.connection, namespace, name };
    return {
      delta: new DeltaTable({ ...at, folder: `delta/${namespace}/${name}` }) as HistoricTable,
      paimon: new PaimonTable({ ...at, folder: "paimon" }) as HistoricTable,
    };
  }

  /** Our own scans of the mirrors hold what the oracle holds, at the primary's snapshot and position. */
  async scansAgree(): Promise<void> {
    for (const [format, table] of Object.entries(this.tables())) {
      const state = (await table.load())!;
      await this.same((await table.scan(state)).sql, `our scan of ${format}`);
      if (this.steps > 0) assert.equal(state.position && formatPosition(state.position), this.position);
    }
  }

  /** Other makers' readers of the mirrors find what the oracle holds. */
  async check(
    { python, java }: { readonly python: Python; readonly java: PaimonJava | undefined },
  ): Promise<{ readonly delta: DeltaReport; readonly paimon: PaimonReport }> {
    const { namespace, name, columns } = this.definition;
    const reading = { python, lake: this.#fixture.folder, table: `${namespace}.${name}` };
    const [iceberg, delta] = ["pyiceberg", "deltalake"].map((who) => this.output(who));
    await readers.pyiceberg({ ...reading, output: iceberg!.path });
    await this.same(iceberg!.scan, "pyiceberg");
    const reports = {
      delta: await readers.deltalake({ ...reading, output: delta!.path }),
      paimon: await this.checkByPypaimon(python),
    };
    await this.same(delta!.scan, "deltalake");
    assert.deepEqual(reports.delta.columns, columns.map((column) => column.name));
    assert.equal(reports.delta.position, this.position);
    if (java !== undefined) await this.checkByJava(java);
    return reports;
  }

  /** pypaimon finds in the mirror what the oracle holds. */
  async checkByPypaimon(python: Python): Promise<PaimonReport> {
    const { namespace, name, columns } = this.definition;
    const { path, scan } = this.output("pypaimon");
    const reading = { python, lake: this.#fixture.folder, table: `${namespace}.${name}`, output: path };
    const report = await readers.pypaimon(reading);
    await this.same(scan, "pypaimon");
    assert.deepEqual(report.columns, columns.map((column) => column.name));
    return report;
  }

  /** Paimon's own code finds in the mirror what the oracle holds. Each filter must find as many rows as it does there. */
  async checkByJava(java: PaimonJava, ...filters: readonly string[]): Promise<void> {
    const { namespace, name, columns } = this.definition;
    const { path, scan } = this.output("java");
    const reading = { lake: this.#fixture.folder, table: `${namespace}.${name}`, output: path, filters };
    const report = await java.read(reading);
    await this.same(scan, "Java");
    assert.deepEqual(report.columns, columns.map((column) => column.name));
    for (const { filter, rows } of report.planned) assert.equal(rows, await this.count(filter), `Java: ${filter}`);
  }
}
