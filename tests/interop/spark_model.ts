/** A table of any kind, its oracle, and Spark to read and write it. */
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { DeltaTable } from "../../lib/table/delta/delta_table.ts";
import { propertyNames, retentionProperties } from "../../lib/table/delta/properties.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import type { LakeTable } from "../../lib/table/lake_table.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
import type { UpkeepTable } from "../../lib/table/upkeep.ts";
import type { DatabaseFixture } from "../../lib/testing/temporary.ts";
import { LakeModel } from "./lake_model.ts";
import { type SparkFormat, sparkTables } from "./readers.ts";
import type { Spark } from "./spark.ts";
import type { UpkeepScene } from "./upkeep_steps.ts";

interface TablePlace {
  readonly storage: LocalStorage;
  readonly connection: DatabaseFixture["connection"];
  readonly namespace: string;
  readonly name: string;
}

/** How tables of a kind are opened by us and named by Spark. */
export interface Kind {
  readonly format: SparkFormat;
  readonly open: (place: TablePlace) => LakeTable & UpkeepTable;
}

const folderOf = (format: string, { namespace, name }: TablePlace) => `${format}/${namespace}/${name}`;
const iceberg = (formatVersion: 2 | 3): Kind => ({
  format: "iceberg",
  open: (place) => new IcebergTable({ ...place, folder: folderOf("iceberg", place), formatVersion }),
});
/** A Delta table's own retention holds back the expiry that a test asks for. */
const forgetful = { [propertyNames.checkpointInterval]: "3", ...retentionProperties(0) };
const delta = (deletes: "vectors" | "rewrite"): Kind => ({
  format: "delta",
  open: (place) => new DeltaTable({ ...place, folder: folderOf("delta", place), deletes, properties: forgetful }),
});
const paimon: Kind = { format: "paimon", open: (place) => new PaimonTable({ ...place, folder: "paimon" }) };

/** The kinds of tables that Spark reads; Paimon's with a key only the format's newer runtimes know. */
export const kinds = {
  "Iceberg v2": iceberg(2),
  "Iceberg v3": iceberg(3),
  "Delta by vectors": delta("vectors"),
  "Delta by rewrite": delta("rewrite"),
  "Paimon": paimon,
} as const;

/** What a {@linkcode SparkModel} is made of. */
export interface SparkModelOptions {
  readonly fixture: DatabaseFixture;
  readonly spark: Spark;
  readonly kind: Kind;
}

/** A table of a kind with its oracle. */
export class SparkModel extends LakeModel<LakeTable & UpkeepTable> {
  readonly scene: UpkeepScene;
  readonly #options: SparkModelOptions;

  constructor(
    { fixture, spark, kind }: SparkModelOptions,
    definition: TableDefinition,
  ) {
    const { namespace, name } = definition;
    const storage = new LocalStorage(fixture.folder);
    const table = kind.open({ storage, connection: fixture.connection, namespace, name });
    super(fixture, { definition, table });
    this.scene = { fixture, storage, table };
    this.#options = { fixture, spark, kind };
  }

  /** Compares the oracle with our own scan and with Spark's, row by row. */
  async check(...filters: readonly string[]): Promise<void> {
    const { spark, kind } = this.#options;
    await this.same((await this.sink.scan())!.sql, "our scan");
    await this.checkBySpark(spark, kind.format, ...filters);
  }

  /** Lets Spark change the table, by a statement that changes the oracle in the same way. */
  async bySpark(statement: (table: string) => string): Promise<void> {
    await this.maintain(statement);
    await this.applyToOracle(statement(this.oracle));
  }

  /** Lets Spark do something that changes no row. Gives what it says. */
  async maintain(statement: (table: string) => string): Promise<readonly string[]> {
    const { spark, kind, fixture: { folder: lake } } = this.#options;
    const { namespace, name } = this.definition;
    const table = await sparkTables[kind.format]({ spark, lake, table: `${namespace}.${name}`, output: "" });
    return (await spark.run([statement(table)])).values;
  }
}
