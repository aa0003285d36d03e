/** What the sink contract runs on: a lake of one format that can be opened again and again, and tables to write. */
import assert from "node:assert/strict";
import type { Position } from "../../lib/change/position.ts";
import type { Relation } from "../../lib/change/relation.ts";
import type { Sink, SinkStatus, TableChange } from "../../lib/change/sink.ts";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { Connection } from "../../lib/engine/connection.ts";
import type { Database } from "../../lib/engine/database.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { type LiteralRow, relationOf } from "../../lib/testing/relations.ts";
import { type DatabaseFixture, withDatabase } from "../../lib/testing/temporary.ts";

/** A lake of one format. */
export interface SinkLake {
  /** The sink of a table as a newly started process would open it. */
  open(definition: TableDefinition): Sink;
}

/** A format under test. */
export interface SinkFormat {
  readonly name: string;
  /** Every fail point of the format; each must be met by the suite. */
  readonly failPoints: readonly string[];
  /** An empty lake in the fixture's folder. `wrap` stands between the format and its storage, where it has one. */
  readonly lake: (fixture: DatabaseFixture, wrap?: (storage: Storage) => Storage) => SinkLake;
  /** Whether the format writes through a storage, so that planned faults of it can be tried. */
  readonly hasStorage: boolean;
  /** Whether `status().rows` is exact. Paimon's snapshots count records, superseded ones too, until a compaction. */
  readonly countsRows: boolean;
}

/** A keyed table. */
export const holders: TableDefinition = {
  namespace: "bank",
  name: "holders",
  key: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false, doc: "key" },
    { name: "name", type: types.string, nullable: true },
    { name: "balance", type: types.decimal(12, 2), nullable: true },
    { name: "seen", type: types.timestamptz, nullable: true },
    { name: "tags", type: types.list(types.string), nullable: true },
  ],
};

/** Its child table. */
export const cards: TableDefinition = {
  namespace: "bank",
  name: "cards",
  key: ["id", "ordinal"],
  colocation: ["id"],
  columns: [
    { name: "id", type: types.int64, nullable: false },
    { name: "ordinal", type: types.int32, nullable: false },
    { name: "number", type: types.string, nullable: true },
  ],
};

/** The n-th position of a source. */
export function position(n: number): Position {
  return { instance: "test:1/1", offset: `0/${n}` };
}

/** Rows by column, as SQL literals. */
export interface ChangeContent {
  readonly upserts?: readonly LiteralRow[];
  /** Rows that are known to be new. */
  readonly inserts?: readonly LiteralRow[];
  readonly removals?: readonly LiteralRow[];
  readonly scope?: readonly string[];
  readonly truncate?: boolean;
  readonly schemaChanges?: TableChange["schemaChanges"];
  /** After the schema changes. Default: the lake's table as first defined. */
  readonly definition?: TableDefinition;
}

/** What a {@linkcode SinkUnderTest} is made of. */
export interface SinkTest {
  readonly format: SinkFormat;
  readonly lake: SinkLake;
  readonly definition: TableDefinition;
}

/** One lake under test, with what is needed to change and look at it. */
export class SinkUnderTest {
  readonly connection: Connection;
  readonly database: Database;
  readonly lake: SinkLake;
  readonly definition: TableDefinition;
  readonly #format: SinkFormat;
  sink: Sink;

  constructor(fixture: DatabaseFixture, options: SinkTest) {
    this.connection = fixture.connection;
    this.database = fixture.database;
    this.#format = options.format;
    this.lake = options.lake;
    this.definition = options.definition;
    this.sink = this.lake.open(this.definition);
  }

  /** Goes on as a new process would. */
  reopen(): Sink {
    return this.sink = this.lake.open(this.definition);
  }

  /** A change that ends at the n-th position. */
  async change(n: number, content: ChangeContent = {}): Promise<TableChange> {
    const definition = content.definition ?? this.definition;
    const scope = content.scope ?? definition.key;
    const relation = async (rows: readonly LiteralRow[] | undefined, options: { readonly deletes: boolean }) =>
      rows &&
      await relationOf(this.connection, { definition, rows, replaces: content.inserts === undefined, ...options });
    const upserts = await relation(content.upserts ?? content.inserts, { deletes: false });
    const removals = await relation(content.removals, { deletes: true });
    return {
      definition,
      schemaChanges: content.schemaChanges ?? [],
      truncate: content.truncate ?? false,
      ...(upserts === undefined ? {} : { upserts }),
      ...(removals === undefined ? {} : { removals }),
      scope,
      position: position(n),
      commitTimeMs: 1_700_000_000_000 + n,
    };
  }

  /** Commits a change that ends at the n-th position. */
  async commit(n: number, content: ChangeContent = {}): Promise<SinkStatus> {
    return await this.sink.commit(await this.change(n, content));
  }

  /** Rows written down for a load. */
  async relation(rows: readonly LiteralRow[], definition = this.definition): Promise<Relation> {
    return await relationOf(this.connection, { definition, rows, replaces: false });
  }

  /** Every row as texts, in order, as a new process reads it. */
  async rows(columns = "COLUMNS(*)::VARCHAR"): Promise<readonly (readonly unknown[])[]> {
    using scan = await this.reopen().scan();
    assert.ok(scan !== undefined, "the table exists");
    const rows = await this.connection.rows(`SELECT ${columns} FROM (${scan.sql}) ORDER BY ALL`);
    return rows.map((row) => Object.values(row));
  }

  /** Asserts ids (first column) and names, the row count and the position that a new process finds. */
  async holds(names: Readonly<Record<string, string | null>>, at: Position | undefined): Promise<void> {
    const found = await this.rows("id::VARCHAR, name");
    assert.deepEqual(found, Object.entries(names).sort());
    const status = await this.sink.status();
    if (this.#format.countsRows) assert.equal(status.rows, BigInt(found.length));
    else assert.ok(status.rows >= BigInt(found.length));
    assert.deepEqual(status.position, at);
  }
}

/** Runs a body on an empty lake. */
export async function withSink(
  format: SinkFormat,
  body: (context: SinkUnderTest) => Promise<void>,
  definition = holders,
): Promise<void> {
  await withDatabase((fixture) => body(new SinkUnderTest(fixture, { format, lake: format.lake(fixture), definition })));
}
