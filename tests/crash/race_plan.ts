/**
 * What the writers of a race write, and the rows that must be there afterwards: computed by DuckDB from the numbers of the
 * changes that were committed, and nothing else.
 *
 * With a common source every writer commits the change that follows the table's position, as two instances of one job would. Without
 * one they have nothing to do with each other, as two engines that write one table: all their commits name one position.
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

/** How a race is laid out. */
export interface RaceLayout {
  readonly isKeyed: boolean;
  readonly hasSource: boolean;
  readonly writers: number;
  /** Of each writer. */
  readonly commits: number;
}

/** What kind of change of a common source a number is: most of them rows, some a truncating load, some progress alone. */
export function kindOf(n: number): "rows" | "load" | "position" {
  if (n % 29 === 0) return "load";
  return n % 9 === 0 ? "position" : "rows";
}

/** One change of one writer; `writer` is 0 where they have a common source. */
export interface RacedChange {
  readonly n: number;
  readonly writer: number;
}

/** A change as a writer commits it. */
export interface WrittenChange {
  readonly change: TableChange;
  /** Its upserts, where it is to be loaded in parts. */
  readonly parts: readonly Relation[];
}

let relations = 0;

/** All that may be written, and the rows that must be there. */
export class RacePlan {
  readonly definition: TableDefinition;
  readonly #connection: Connection;
  readonly #layout: RaceLayout;

  constructor(connection: Connection, layout: RaceLayout) {
    this.#connection = connection;
    this.#layout = layout;
    this.definition = {
      namespace: "bank",
      name: "cards",
      key: layout.isKeyed ? ["id"] : [],
      columns: [
        { name: "id", type: types.int64, nullable: false },
        { name: "value", type: types.string, nullable: true },
      ],
    };
  }

  async create(): Promise<void> {
    await this.#connection.run(`CREATE TABLE planned AS ${plannedSql(this.#layout)}`);
    await this.#connection.run("CREATE TABLE committed (n BIGINT, writer BIGINT)");
  }

  /** Notes a change of a writer without a common source that is in the table. */
  async note({ n, writer }: RacedChange): Promise<void> {
    await this.#connection.run(`INSERT INTO committed VALUES (${n}, ${writer})`);
  }

  /** A change's relations on a writer's connection, dropped again after `use`. */
  async withChange(
    connection: Connection,
    of: RacedChange & { readonly position: number },
    use: (written: WrittenChange) => Promise<void>,
  ): Promise<void> {
    const made: string[] = [];
    const isLoad = of.writer === 0 && kindOf(of.n) === "load";
    const relation = async (where: string): Promise<Relation> => {
      const name = `raced_${++relations}`;
      made.push(name);
      const flags = `0::BIGINT AS _ordinal, false AS _delete, ${!isLoad} AS _replaces`;
      await connection.run(
        `CREATE TABLE ${name} AS SELECT id, value, ${flags} FROM planned
         WHERE n = ${of.n} AND writer = ${of.writer} AND ${where}`,
      );
      const rows = Number(await connection.value(`SELECT count(*) FROM ${name}`));
      return { name, definition: this.definition, rows };
    };
    const common = {
      ...{ definition: this.definition, schemaChanges: [], scope: this.definition.key },
      ...{ position: { instance: "race:1/1", offset: `0/${of.position}` }, commitTimeMs: of.position },
    };
    try {
      if (isLoad) {
        const parts = [await relation("NOT gone AND id % 2 = 0"), await relation("NOT gone AND id % 2 = 1")];
        return await use({ change: { ...common, truncate: true }, parts });
      }
      const upserts = await relation("NOT gone");
      const removals = this.#layout.isKeyed ? { removals: await relation("gone") } : {};
      await use({ change: { ...common, truncate: false, upserts, ...removals }, parts: [] });
    } finally {
      for (const name of made) await connection.run(`DROP TABLE ${name}`);
    }
  }

  /** The rows after so many changes of the common source. */
  rowsAt(n: number): string {
    const loads = Array.from({ length: n }, (_, index) => index + 1).filter((each) => kindOf(each) === "load");
    return newestSql(`n BETWEEN ${loads.at(-1) ?? 0} AND ${n}`);
  }

  /** The rows that writers without a common source left, but for keys that several of them wrote. */
  get ownRows(): string {
    return newestSql(`(n, writer) IN (FROM committed) AND ${this.isOwn}`);
  }

  /** Whether an `id` is written by one writer alone. */
  get isOwn(): string {
    return this.#layout.isKeyed && !this.#layout.hasSource ? `id >= ${sharedKeys}` : "true";
  }

  /** The values that a shared key may have: the last of each writer. */
  get lastShared(): string {
    return `SELECT id, arg_max(value, n) AS value FROM planned
      WHERE (n, writer) IN (FROM committed) AND NOT (${this.isOwn}) GROUP BY id, writer`;
  }
}

function newestSql(when: string): string {
  return `SELECT id, value FROM (
    SELECT id, arg_max(value, n) AS value, arg_max(gone, n) AS gone FROM planned WHERE ${when} GROUP BY id
  ) WHERE NOT gone`;
}

/** Every change's rows: `n`, `writer`, `id`, `value`, `gone`. */
function plannedSql({ isKeyed, hasSource, writers, commits }: RaceLayout): string {
  const changes = hasSource
    ? `SELECT n, 0 AS writer FROM range(1, ${writers * commits + 1}) AS numbers(n) WHERE n % 29 = 0 OR n % 9 <> 0`
    : `SELECT n, writer FROM range(1, ${commits + 1}) AS numbers(n), range(1, ${writers + 1}) AS others(writer)`;
  const rows = (count: number, id: string) =>
    `SELECT DISTINCT n, writer, (${id})::BIGINT AS id FROM (${changes}), range(${count}) AS numbers(i)`;
  const value = "writer || '/' || n AS value";
  if (!isKeyed) {
    return `SELECT *, ${value}, false AS gone FROM (${rows(upserted, "writer * 10000000 + n * 100 + i")})`;
  }
  const drawn = (salt: number) => `hash(n, writer, i + ${salt}) % ${keys}`;
  const own = (id: string) => `writer * 10000000 + ${id}`;
  const spread = hasSource
    ? drawn(0)
    : `CASE WHEN ${drawn(0)} < ${sharedKeys} THEN ${drawn(0)} ELSE ${own(drawn(0))} END`;
  // A row that no other change has tells whether this one arrived.
  const added = `${rows(upserted, spread)} UNION ALL ${rows(1, own("1000000 + n"))}`;
  const gone = `${rows(removed, own(`${sharedKeys} + ${drawn(100)} % ${keys - sharedKeys}`))} EXCEPT (${added})`;
  return `SELECT *, ${value}, false AS gone FROM (${added}) UNION ALL SELECT *, '' AS value, true FROM (${gone})`;
}
