/** One Delta table to write, to reopen as another process would, and to look into. */
import type { CommitResult, TableChange } from "../change/sink.ts";
import { types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import { LocalStorage } from "../storage/local.ts";
import { type Action, formatActions, parseActions } from "../table/delta/actions.ts";
import { DeltaTable, type DeltaTableOptions } from "../table/delta/delta_table.ts";
import { propertyNames } from "../table/delta/properties.ts";
import type { DeltaState } from "../table/delta/state.ts";
import { FaultyStorage } from "./faulty_storage.ts";
import { type LiteralRow, relationOf } from "./relations.ts";
import { type DatabaseFixture, withDatabase } from "./temporary.ts";

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

/** Options of a table that has a checkpoint every so many commits. */
export function checkpointEvery(commits: number): Pick<DeltaTableOptions, "properties"> {
  return { properties: { [propertyNames.checkpointInterval]: String(commits) } };
}

/** What a change holds beside what every change has. */
export type ChangeContent = Partial<Omit<TableChange, "upserts" | "removals">> & {
  readonly upserts?: readonly LiteralRow[];
  readonly removals?: readonly LiteralRow[];
};

/** A row of {@linkcode cards}. */
export function card(id: number, name: string): LiteralRow {
  return { id: String(id), name: `'${name}'` };
}

/** A lake with one table. */
export class DeltaLake {
  readonly folder = "delta/bank/cards";
  readonly storage: FaultyStorage;
  readonly fixture: DatabaseFixture;
  readonly #options: Partial<DeltaTableOptions>;
  #position = 0;

  constructor(fixture: DatabaseFixture, options: Partial<DeltaTableOptions>) {
    this.fixture = fixture;
    this.storage = new FaultyStorage(new LocalStorage(fixture.folder));
    this.#options = options;
  }

  /** The table as a newly started process opens it. */
  open(options: Partial<DeltaTableOptions> = {}): DeltaTable {
    const { storage, folder, fixture: { connection } } = this;
    return new DeltaTable({
      storage,
      connection,
      folder,
      namespace: "bank",
      name: "cards",
      ...this.#options,
      ...options,
    });
  }

  /** A change with the next position. */
  async change(content: ChangeContent): Promise<TableChange> {
    const { upserts, removals, ...rest } = content;
    const definition = content.definition ?? cards;
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
  async commit(table: DeltaTable, content: ChangeContent): Promise<CommitResult> {
    const state = (await table.load())!;
    return await table.commit(table.stage(state, await table.prepare(state, await this.change(content))));
  }

  /** `id name` of every row, in order. */
  async rows(table = this.open(), state?: DeltaState): Promise<unknown[]> {
    const { sql } = await table.scan(state ?? (await table.load())!);
    const rows = await this.fixture.connection.rows(`SELECT id || ' ' || name AS n FROM (${sql}) ORDER BY id`);
    return rows.map(({ n }) => n);
  }

  /** Path of a version in the log. */
  log(version: number, suffix = "json"): string {
    return `${this.folder}/_delta_log/${String(version).padStart(20, "0")}.${suffix}`;
  }

  /** The actions of a version. */
  async actions(version: number): Promise<readonly Action[]> {
    return parseActions(new TextDecoder().decode((await this.storage.read(this.log(version)))!));
  }

  /** Commits as another writer would. */
  async foreign(version: number, actions: readonly Action[]): Promise<void> {
    await this.storage.putIfAbsent(this.log(version), new TextEncoder().encode(formatActions(actions)));
  }

  /** Sets properties of the table as another writer would. */
  async setProperties(version: number, properties: Readonly<Record<string, string>>): Promise<void> {
    const { metadata } = (await this.open().load())!;
    await this.foreign(version, [{
      metaData: { ...metadata, configuration: { ...metadata.configuration, ...properties } },
    }]);
  }

  /** Everything below the table's folder. */
  async paths(): Promise<string[]> {
    return (await Array.fromAsync(this.storage.list(this.folder))).map(({ path }) => path);
  }
}

/** A test body on an empty lake. */
export function onDeltaLake(
  body: (lake: DeltaLake) => Promise<void>,
  options: Partial<DeltaTableOptions> = {},
): () => Promise<void> {
  return () => withDatabase((fixture) => body(new DeltaLake(fixture, options)));
}
