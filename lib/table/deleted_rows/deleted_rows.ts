/**
 * Deleted rows as a DuckDB table, so that a scan can leave them out with one anti-join however many files there are.
 *
 * Promise: a scan text keeps giving the rows of its own state while later commits delete more. Rows are only ever added to
 * a table, each with the sequence number since which it is deleted. Once most rows are about files that have left, a new table takes
 * its place, so that memory follows what is deleted now; the old one stays for the scan texts that name it, for ten minutes.
 */
import { BIGINT, type DuckDBAppender, type DuckDBBigIntVector, DuckDBDataChunk } from "@duckdb/node-api";
import type { Connection } from "../../engine/connection.ts";
import { identifier } from "../../engine/quote.ts";
import type { PositionBitmap } from "./position_bitmap.ts";

const vectorSize = 2048;
/** Rows of files that have left, beyond as many as are in use, before a new table is made: about 2.4 MB. */
const mostLeftRows = 100_000;
/** How long a scan text may be used, milliseconds, once its table is no longer the newest. */
const retiredForMs = 600_000;

/** Deleted positions of a data file. */
export interface DeletedInFile {
  readonly uri: string;
  readonly positions: PositionBitmap;
  /** Of the commit that deleted the last of them. */
  readonly sequenceNumber: bigint;
}

interface KnownFile {
  /** Stands for the file in the table. */
  readonly id: bigint;
  readonly sequenceNumber: bigint;
  readonly positions: PositionBitmap;
}

/** A table and what is in it. */
class DeletedRowsTable {
  readonly name = `weir_deleted_${crypto.randomUUID().replaceAll("-", "")}`;
  readonly known = new Map<string, KnownFile>();
  rows = 0;
  nextId = 0n;
  retiredMs = 0;
}

/** What a scan needs to leave deleted rows out. */
export interface RecordedRows {
  /** Seen by every connection of the database. */
  readonly table: string;
  /** For each file, in order, the id under which rows with `since` up to the state's sequence number are its deleted ones. */
  readonly ids: readonly bigint[];
}

/** The tables of one lake table and engine connection. */
export class DeletedRows {
  readonly #connection: Connection;
  readonly #nowMs: () => number;
  #current = new DeletedRowsTable();
  #retired: DeletedRowsTable[] = [];
  #newest = 0n;

  constructor(connection: Connection, nowMs: () => number = Date.now) {
    this.#connection = connection;
    this.#nowMs = nowMs;
  }

  /** Makes a table hold what is deleted in files as the state of a sequence number has them. */
  async record(files: readonly DeletedInFile[], sequenceNumber: bigint): Promise<RecordedRows> {
    const deleted = files.reduce((sum, { positions }) => sum + positions.count, 0);
    // What an older state does not need, the newest one may.
    const isNewest = sequenceNumber >= this.#newest;
    if (isNewest) this.#newest = sequenceNumber;
    if (isNewest && this.#current.rows > 2 * deleted + mostLeftRows) {
      this.#current.retiredMs = this.#nowMs();
      this.#retired.push(this.#current);
      this.#current = new DeletedRowsTable();
    }
    const table = this.#current;
    const rows: bigint[] = [];
    const ids = files.map((file) => recordFile(table, file, rows));
    table.rows += rows.length / 3;
    await this.#append(table.name, rows);
    return { table: table.name, ids };
  }

  /** Removes the newest table; scan texts that name it fail from then on. */
  async drop(): Promise<void> {
    await this.#connection.run(`DROP TABLE IF EXISTS ${identifier(this.#current.name)}`);
    this.#current = new DeletedRowsTable();
  }

  async #append(name: string, rows: readonly bigint[]): Promise<void> {
    const oldest = this.#nowMs() - retiredForMs;
    const unused = this.#retired.filter(({ retiredMs }) => retiredMs < oldest);
    this.#retired = this.#retired.filter((table) => !unused.includes(table));
    const columns = "file BIGINT NOT NULL, row BIGINT NOT NULL, since BIGINT NOT NULL";
    // In one piece: who asks meanwhile, and finds all files known, waits until their rows are there.
    await this.#connection.exclusively(async (native) => {
      for (const table of unused) await native.run(`DROP TABLE IF EXISTS ${identifier(table.name)}`);
      await native.run(`CREATE TABLE IF NOT EXISTS ${identifier(name)} (${columns})`);
      if (rows.length > 0) appendRows(await native.createAppender(name), rows);
    });
  }
}

/** The id of a file's deleted rows, having noted the rows that are new. */
function recordFile(table: DeletedRowsTable, file: DeletedInFile, rows: bigint[]): bigint {
  const { uri, positions, sequenceNumber } = file;
  const known = table.known.get(uri);
  if (known?.positions === positions) return known.id;
  const isNewer = known === undefined || known.sequenceNumber <= sequenceNumber;
  const growth = known !== undefined && isNewer ? positions.growthSince(known.positions) : undefined;
  const id = growth === undefined ? table.nextId++ : known!.id;
  for (const position of growth ?? positions) rows.push(id, BigInt(position), sequenceNumber);
  // An older state, asked for again, gets rows of its own and does not become what newer ones build on.
  if (isNewer) table.known.set(uri, { id, sequenceNumber, positions });
  return id;
}

/** Three numbers a row. */
function appendRows(appender: DuckDBAppender, rows: readonly bigint[]): void {
  for (let start = 0; start < rows.length; start += 3 * vectorSize) {
    const count = Math.min(vectorSize, (rows.length - start) / 3);
    const chunk = DuckDBDataChunk.create([BIGINT, BIGINT, BIGINT], count);
    for (let column = 0; column < 3; column++) {
      const vector = chunk.getColumnVector(column) as DuckDBBigIntVector;
      for (let row = 0; row < count; row++) vector.setItem(row, rows[start + 3 * row + column]!);
      vector.flush();
    }
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}
