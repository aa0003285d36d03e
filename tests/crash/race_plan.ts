/**
 * What the writers of a race write, and the rows that must be there afterwards: computed by DuckDB from the numbers of the
 * changes that were committed, and nothing else.
 *
 * With a common source every writer commits the change that follows the table's position, as two instances of one job would. Without
 * one they have nothing to do with each other, as two engines that append to a table: all their commits name one position.
 */
import type { Relation } from "../../lib/change/relation.ts";
import type { TableChange } from "../../lib/change/sink.ts";
import { types } from "../../lib/dataset/column_type.ts";
import type { TableDefinition } from "../../lib/dataset/dataset.ts";
import type { Connection } from "../../lib/engine/connection.ts";

/** Keys of a table whose rows are replaced: from 0, those below `sharedKeys` by writers without a common source too. */
const keys = 400;
const sharedKeys = 40;
/** Rows a change upserts, and removes. */
const upserted = 12;
const removed = 4;

/** What kind of change a number is: most of them rows, some a truncating load, some progress alone. */
export function kindOf(n: number): "rows" | "load" | "position" {
  if (n % 41 === 0) return "load";
  return n % 17 === 0 ? "position" : "rows";
}

/** The table. */
export function racedTable(isKeyed: boolean): TableDefinition {
  return {
    namespace: "bank",
    name: "cards",
    key: isKeyed ? ["id"] : [],
    columns: [
      { name: "id", type: types.int64, nullable: false },
      { name: "value", type: types.string, nullable: true },
    ],
  };
}

/** One change of one writer. */
export interface RacedChange {
  readonly n: number;
  /** Of writers without a common source. */
  readonly writer?: number;
}

/** The content of a change, as a SELECT of `id`, `value`, `gone`. */
export function contentSql(isKeyed: boolean, { n, writer }: RacedChange): string {
  const value = `'${writer ?? ""}/${n}'`;
  const first = (writer ?? 0) * 10_000_000;
  const rows = (count: number, id: string) => `SELECT DISTINCT ${id} AS id FROM range(${count}) AS numbers(i)`;
  if (!isKeyed) return `SELECT id, ${value} AS value, false AS gone FROM (${rows(upserted, `${first + n * 100} + i`)})`;
  const drawn = (salt: number) => `(hash(${n}, ${writer ?? 0}, i + ${salt}) % ${keys})::BIGINT`;
  // A row of its own tells whether the change arrived.
  const own = (id: string) =>
    writer === undefined ? id : `CASE WHEN ${id} < ${sharedKeys} THEN ${id} ELSE ${first} + ${id} END`;
  const added = `${rows(upserted, own(drawn(0)))} UNION ALL SELECT ${first + 1_000_000 + n}`;
  const gone = `${rows(removed, `${first} + ${sharedKeys} + ${drawn(100)} % ${keys - sharedKeys}`)} EXCEPT (${added})`;
  return `SELECT id, ${value} AS value, false AS gone FROM (${added})
    UNION ALL SELECT id, NULL, true FROM (${gone})`;
}

/** How a race is laid out. */
export interface RaceLayout {
  readonly isKeyed: boolean;
  readonly hasSource: boolean;
}

/** The rows that must be there. */
export class RaceModel {
  readonly definition: TableDefinition;
  readonly #connection: Connection;
  readonly #layout: RaceLayout;

  constructor(connection: Connection, layout: RaceLayout) {
    this.#connection = connection;
    this.#layout = layout;
    this.definition = racedTable(layout.isKeyed);
  }

  /** Makes the empty model. */
  async create(): Promise<void> {
    await this.#connection.run("CREATE TABLE raced (n BIGINT, writer BIGINT, id BIGINT, value VARCHAR, gone BOOLEAN)");
  }

  /** Notes a change that is in the table, or will be. */
  async add(change: RacedChange): Promise<void> {
    if (this.#layout.hasSource && kindOf(change.n) === "position") return;
    await this.#connection.run(
      `INSERT INTO raced SELECT ${change.n}, ${change.writer ?? 0}, * FROM (${
        contentSql(this.#layout.isKeyed, change)
      })`,
    );
  }

  /** The rows after so many changes of the common source. */
  rowsAt(n: number): string {
    const loads = Array.from({ length: n }, (_, index) => index + 1).filter((each) => kindOf(each) === "load");
    return this.#newest(`n BETWEEN ${loads.at(-1) ?? 0} AND ${n}`);
  }

  /** The rows that writers without a common source left, but for keys that several of them wrote. */
  get ownRows(): string {
    return this.#newest(`true`, `WHERE ${this.isOwn}`);
  }

  /** Whether an `id` is written by one writer alone. */
  get isOwn(): string {
    return this.#layout.isKeyed && !this.#layout.hasSource ? `id >= ${sharedKeys}` : "true";
  }

  /** The values that a shared key may have: the last of each writer. */
  get lastShared(): string {
    return `SELECT id, arg_max(value, n) AS value FROM raced WHERE NOT (${this.isOwn}) GROUP BY id, writer`;
  }

  #newest(when: string, filter = ""): string {
    return `SELECT id, value FROM (
      SELECT id, arg_max(coalesce(value, ''), n) AS value, arg_max(gone, n) AS gone FROM raced WHERE ${when} GROUP BY id
    ) ${filter === "" ? "WHERE" : `${filter} AND`} NOT gone`;
  }
}

/** A change as a writer commits it. */
export interface WrittenChange {
  /** Without upserts, where it is to be loaded in parts. */
  readonly change: TableChange;
  readonly parts: readonly Relation[];
}

let relations = 0;

/** A change's relations on a writer's connection, dropped again after `use`. */
export async function withChange(
  connection: Connection,
  of: RaceLayout & { readonly change: RacedChange; readonly position: number },
  use: (written: WrittenChange) => Promise<void>,
): Promise<void> {
  const definition = racedTable(of.isKeyed);
  const isLoad = of.hasSource && kindOf(of.change.n) === "load";
  const made: string[] = [];
  const relation = async (where: string): Promise<Relation> => {
    const name = `raced_${++relations}`;
    made.push(name);
    const flags = `0::BIGINT AS _ordinal, false AS _delete, ${!isLoad} AS _replaces`;
    const rows = `SELECT id, value FROM (${contentSql(of.isKeyed, of.change)}) WHERE ${where}`;
    await connection.run(`CREATE TABLE ${name} AS SELECT *, ${flags} FROM (${rows})`);
    return { name, definition, rows: Number(await connection.value(`SELECT count(*) FROM ${name}`)) };
  };
  try {
    const position = { instance: "race:1/1", offset: `0/${of.position}` };
    const common = { definition, schemaChanges: [], scope: definition.key, position, commitTimeMs: of.position };
    if (isLoad) {
      const parts = [await relation("NOT gone AND id % 2 = 0"), await relation("NOT gone AND id % 2 = 1")];
      return await use({ change: { ...common, truncate: true }, parts });
    }
    const upserts = await relation("NOT gone");
    const removals = of.isKeyed ? { removals: await relation("gone") } : {};
    await use({ change: { ...common, truncate: false, upserts, ...removals }, parts: [] });
  } finally {
    for (const name of made) await connection.run(`DROP TABLE ${name}`);
  }
}
