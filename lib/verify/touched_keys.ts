/**
 * Keys whose rows changed between the position of one side and that of the other, gathered from replayed batches.
 *
 * They are read by the decoder of the capture, and serve to set rows aside, never to call a row right: a key that it missed shows
 * up as a mismatch, and how many were set aside is told.
 */
import type { DatasetChanges } from "../change/micro_batch.ts";
import type { Dataset } from "../dataset/dataset.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import { readSpool } from "../fold/spool_reader.ts";
import type { KeyTable } from "./compared_rows.ts";
import { columnText } from "./row_text.ts";

/** A stretch of batches: those that end behind `after` and up to `to`, in numbers that grow with the source's positions. */
export interface Stretch {
  readonly after: bigint;
  readonly to: bigint;
}

/** What one source table went through. */
interface TouchedSource {
  readonly dataset: Dataset;
  /** Table of `t0 … tn`, and `ended`: where the batch ended. */
  readonly table: string;
  /** Why its rows cannot be told apart from some batch on. */
  readonly unclear: { readonly at: bigint; readonly reason: string }[];
}

/** The touched keys of some datasets. */
export class TouchedKeys {
  readonly #connection: Connection;
  readonly #prefix = `touched_${crypto.randomUUID().replaceAll("-", "")}`;
  readonly #sources = new Map<string, TouchedSource>();
  #tables = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Takes a batch's changes of one dataset. `at`: where the batch ends. */
  async add(
    changes: DatasetChanges,
    { dataset, at }: { readonly dataset: Dataset; readonly at: bigint },
  ): Promise<void> {
    const source = await this.#source(changes.source, dataset);
    const unclear = (reason: string) => void source.unclear.push({ at, reason });
    if (changes.recopyReason !== undefined) unclear(changes.recopyReason);
    if (changes.truncatedBefore !== undefined) unclear("the table was truncated");
    if (changes.segments.some(({ schemaChanges }) => schemaChanges.length > 0)) unclear("its columns changed");
    if (JSON.stringify(changes.key) !== JSON.stringify(dataset.key)) return unclear("its key changed");
    const key = keyColumns(dataset);
    const rows = this.#name();
    const definition = { namespace: dataset.namespace, name: dataset.name, columns: key, key: dataset.key };
    await readSpool({ connection: this.#connection, changes, definition, table: rows });
    const texts = (prefix: string) =>
      key.map((column, index) => `${columnText({ ...column, name: `${prefix}${column.name}` })} AS t${index}`).join(
        ", ",
      );
    await this.#connection.run(
      `INSERT INTO ${source.table} SELECT *, ${at}::UBIGINT FROM (SELECT ${texts("")} FROM ${identifier(rows)}
       UNION SELECT ${texts("_old_")} FROM ${identifier(rows)}) WHERE t0 IS NOT NULL`,
    );
    await this.#connection.run(`DROP TABLE ${identifier(rows)}`);
  }

  /** The keys of a source table that were touched in a stretch; undefined for none. */
  async within(source: string, { after, to }: Stretch): Promise<KeyTable | undefined> {
    const found = this.#sources.get(source);
    if (found === undefined) return undefined;
    const name = identifier(this.#name());
    const keys = keyColumns(found.dataset).map((_, index) => `t${index}`).join(", ");
    await this.#connection.run(
      `CREATE TEMP TABLE ${name} AS SELECT DISTINCT ${keys} FROM ${found.table} WHERE ended > ${after} AND ended <= ${to}`,
    );
    const isEmpty = await this.#connection.value(`SELECT count(*) FROM ${name}`) === 0n;
    return isEmpty ? undefined : { name, columns: keyColumns(found.dataset).map((column) => column.name) };
  }

  /** Why the rows of a source table cannot be compared across a stretch; undefined where they can. */
  unclear(source: string, { after, to }: Stretch): string | undefined {
    return this.#sources.get(source)?.unclear.find(({ at }) => at > after && at <= to)?.reason;
  }

  async #source(name: string, dataset: Dataset): Promise<TouchedSource> {
    const known = this.#sources.get(name);
    if (known !== undefined) return known;
    const source: TouchedSource = { dataset, table: identifier(this.#name()), unclear: [] };
    const columns = keyColumns(dataset).map((_, index) => `t${index} VARCHAR`);
    await this.#connection.run(`CREATE TEMP TABLE ${source.table} (${[...columns, "ended UBIGINT"].join(", ")})`);
    this.#sources.set(name, source);
    return source;
  }

  #name(): string {
    return `${this.#prefix}_${this.#tables++}`;
  }
}

function keyColumns({ columns, key }: Dataset): Dataset["columns"] {
  return key.flatMap((name) => columns.filter((column) => column.name === name));
}
