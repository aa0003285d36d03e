/** An Iceberg table of three columns for the tests of its format, with rows written down one by one. */
import type { CommitResult, TableChange } from "../change/sink.ts";
import { types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Connection } from "../engine/connection.ts";
import { LocalStorage } from "../storage/local.ts";
import { IcebergTable } from "../table/iceberg/iceberg_table.ts";
import type { TableMetadata } from "../table/iceberg/metadata.ts";
import { parseJson } from "../table/lossless_json.ts";
import { FaultyStorage } from "./faulty_storage.ts";
import { type LiteralRow, relationOf } from "./relations.ts";
import { type DatabaseFixture, withDatabase } from "./temporary.ts";

/** Keyed by two columns. */
export const definition: TableDefinition = {
  namespace: "bank",
  name: "cards",
  key: ["id", "ordinal"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "ordinal", type: types.int32, nullable: false },
    { name: "name", type: types.string, nullable: true },
  ],
};
/** Of the table, below the storage root. */
export const folder = "iceberg/bank/cards";

/** One change. */
export type ChangeContent = Partial<Omit<TableChange, "upserts" | "removals">> & {
  readonly upserts?: readonly LiteralRow[];
  readonly removals?: readonly LiteralRow[];
};

/** A folder with the table in it. */
export class Lake {
  readonly storage: FaultyStorage;
  readonly fixture: DatabaseFixture;
  #position = 0;

  constructor(fixture: DatabaseFixture) {
    this.fixture = fixture;
    this.storage = new FaultyStorage(new LocalStorage(fixture.folder));
  }

  /** The table as a newly started process opens it. */
  open(options: { readonly formatVersion?: 2 | 3; readonly connection?: Connection } = {}): IcebergTable {
    const { connection } = this.fixture;
    return new IcebergTable({
      storage: this.storage,
      connection,
      folder,
      namespace: "bank",
      name: "cards",
      ...options,
    });
  }

  async change(content: ChangeContent): Promise<TableChange> {
    const { upserts, removals, ...rest } = content;
    const relation = (rows: readonly LiteralRow[]) => {
      return relationOf(this.fixture.connection, { definition: content.definition ?? definition, rows });
    };
    return {
      definition,
      schemaChanges: [],
      truncate: false,
      scope: definition.key,
      position: { instance: "test:1/1", offset: `0/${++this.#position}` },
      commitTimeMs: 1_700_000_000_000,
      ...rest,
      ...(upserts === undefined ? {} : { upserts: await relation(upserts) }),
      ...(removals === undefined ? {} : { removals: await relation(removals) }),
    };
  }

  async commit(table: IcebergTable, content: ChangeContent): Promise<CommitResult> {
    const state = (await table.load())!;
    return await table.commit(table.stage(state, await table.prepare(state, await this.change(content))));
  }

  async names(table = this.open()): Promise<unknown[]> {
    const { sql } = await table.scan((await table.load())!);
    const rows = await this.fixture.connection.rows(
      `SELECT id || '/' || ordinal || ' ' || name AS n FROM (${sql}) ORDER BY 1`,
    );
    return rows.map(({ n }) => n);
  }

  async metadata(version: number): Promise<TableMetadata> {
    const bytes = await this.storage.read(`${folder}/metadata/v${version}.metadata.json`);
    return parseJson(new TextDecoder().decode(bytes)) as TableMetadata;
  }

  async paths(): Promise<string[]> {
    return (await Array.fromAsync(this.storage.list(folder))).map(({ path }) => path);
  }
}

/** One row. */
export const row = (id: number, ordinal: number, name: string): LiteralRow => ({
  id: String(id),
  ordinal: String(ordinal),
  name: `'${name}'`,
});
/** The key of one row. */
export const key = (id: number, ordinal: number): LiteralRow => ({ id: String(id), ordinal: String(ordinal) });

/** A test on a lake of its own. */
export function onLake(body: (lake: Lake) => Promise<void>): () => Promise<void> {
  return () => withDatabase((fixture) => body(new Lake(fixture)));
}
