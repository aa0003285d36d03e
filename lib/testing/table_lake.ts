/** One lake table to write, to reopen as another process would, and to look into: rows are written down one by one. */
import type { CommitResult, TableChange } from "../change/sink.ts";
import { types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Connection } from "../engine/connection.ts";
import { LocalStorage } from "../storage/local.ts";
import type { Storage } from "../storage/storage.ts";
import type { LakeTable, TableState } from "../table/lake_table.ts";
import { FaultyStorage } from "./faulty_storage.ts";
import { type LiteralRow, relationOf } from "./relations.ts";
import type { DatabaseFixture } from "./temporary.ts";

/** A keyed table. */
export const cards: TableDefinition = {
  namespace: "bank",
  name: "cards",
  key: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "name", type: types.string, nullable: true },
  ],
};

/** A row of {@linkcode cards}. */
export function card(id: number, name: string): LiteralRow {
  return { id: String(id), name: `'${name}'` };
}

/** What a change holds beside what every change has. */
export type ChangeContent = Partial<Omit<TableChange, "upserts" | "removals">> & {
  readonly upserts?: readonly LiteralRow[];
  readonly removals?: readonly LiteralRow[];
};

/** Where a table is opened. */
export interface TablePlace {
  readonly storage: Storage;
  readonly connection: Connection;
  readonly namespace: string;
  readonly name: string;
}

/** What is written, and how it is looked at. */
export interface LakeShape {
  /** Of the table, below the storage root. */
  readonly folder: string;
  readonly definition: TableDefinition;
  /** SQL that says which row it is; rows are read in the order of the definition's key. */
  readonly text: string;
}

/** A lake with one table. */
export abstract class TableLake<Table extends LakeTable> {
  readonly storage: FaultyStorage;
  readonly fixture: DatabaseFixture;
  readonly folder: string;
  readonly definition: TableDefinition;
  readonly #text: string;
  #position = 0;

  constructor(fixture: DatabaseFixture, shape: LakeShape) {
    this.fixture = fixture;
    this.storage = new FaultyStorage(new LocalStorage(fixture.folder));
    this.folder = shape.folder;
    this.definition = shape.definition;
    this.#text = shape.text;
  }

  /** Where a newly started process finds the table. */
  get place(): TablePlace {
    const { namespace, name } = this.definition;
    return { storage: this.storage, connection: this.fixture.connection, namespace, name };
  }

  /** The table as a newly started process opens it. */
  abstract open(options?: Partial<TablePlace>): Table;

  /** A change with the next position. */
  async change(content: ChangeContent): Promise<TableChange> {
    const { upserts, removals, ...rest } = content;
    const definition = content.definition ?? this.definition;
    const relation = (rows: readonly LiteralRow[]) => relationOf(this.fixture.connection, { definition, rows });
    return {
      ...{ definition, schemaChanges: [], truncate: false, scope: definition.key },
      ...{ position: { instance: "test:1/1", offset: `0/${++this.#position}` }, commitTimeMs: 1_700_000_000_000 },
      ...rest,
      ...(upserts === undefined ? {} : { upserts: await relation(upserts) }),
      ...(removals === undefined ? {} : { removals: await relation(removals) }),
    };
  }

  /** Commits a change. */
  async commit(table: Table, content: ChangeContent): Promise<CommitResult> {
    const state = (await table.load())!;
    return await table.commit(table.stage(state, await table.prepare(state, await this.change(content))));
  }

  /** Every row as text, in order. */
  async rows(table: LakeTable = this.open(), state?: TableState): Promise<unknown[]> {
    using scan = await table.scan(state ?? (await table.load())!);
    const order = this.definition.key.join(", ");
    const rows = await this.fixture.connection.rows(
      `SELECT ${this.#text} AS row_text FROM (${scan.sql}) ORDER BY ${order}`,
    );
    return rows.map(({ row_text }) => row_text);
  }

  /** Everything below the table's folder. */
  async paths(): Promise<string[]> {
    return (await Array.fromAsync(this.storage.list(this.folder))).map(({ path }) => path);
  }
}
