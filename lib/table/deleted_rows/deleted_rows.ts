/**
 * Deleted rows as a DuckDB table, so that a scan can leave them out with one anti-join however many files there are.
 *
 * Promise: a scan text keeps giving the rows of its own state while later commits delete more. Rows are only ever added to
 * the table, each with the sequence number since which it is deleted.
 */
import { BIGINT, type DuckDBAppender, type DuckDBBigIntVector, DuckDBDataChunk } from "@duckdb/node-api";
import type { Connection } from "../../engine/connection.ts";
import { identifier } from "../../engine/quote.ts";
import type { PositionBitmap } from "./position_bitmap.ts";

const vectorSize = 2048;

/** Deleted positions of a data file as of a sequence number. */
export interface DeletedInFile {
  readonly uri: string;
  readonly positions: PositionBitmap;
}

interface KnownFile {
  /** Stands for the file in the table. */
  readonly id: bigint;
  readonly sequenceNumber: bigint;
  readonly positions: PositionBitmap;
}

/** The table and what is known to be in it. One per table and engine connection. */
export class DeletedRows {
  /** Name of the table, seen by every connection of the database. */
  readonly name = `weir_deleted_${crypto.randomUUID().replaceAll("-", "")}`;
  readonly #connection: Connection;
  readonly #known = new Map<string, KnownFile>();
  #nextId = 0n;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Makes the table hold what is deleted at a sequence number.
   *
   * @returns For each file, in order, the id under which rows with `since` up to that number are its deleted ones.
   */
  async record(files: readonly DeletedInFile[], sequenceNumber: bigint): Promise<bigint[]> {
    const rows: bigint[] = [];
    const ids = files.map(({ uri, positions }) => {
      const known = this.#known.get(uri);
      if (known?.positions === positions) return known.id;
      const growth = known !== undefined && known.sequenceNumber <= sequenceNumber
        ? positions.growthSince(known.positions)
        : undefined;
      const id = growth === undefined ? this.#nextId++ : known!.id;
      for (const position of growth ?? positions) rows.push(id, BigInt(position), sequenceNumber);
      // An older state, asked for again, gets rows of its own and does not become what newer ones build on.
      if (known === undefined || known.sequenceNumber <= sequenceNumber) {
        this.#known.set(uri, { id, sequenceNumber, positions });
      }
      return id;
    });
    await this.#append(rows);
    return ids;
  }

  /** Removes the table; scans that name it fail from then on. */
  async drop(): Promise<void> {
    await this.#connection.run(`DROP TABLE IF EXISTS ${identifier(this.name)}`);
    this.#known.clear();
  }

  async #append(rows: readonly bigint[]): Promise<void> {
    const columns = "file BIGINT NOT NULL, row BIGINT NOT NULL, since BIGINT NOT NULL";
    // In one piece: who asks meanwhile, and finds all files known, waits until their rows are there.
    await this.#connection.exclusively(async (native) => {
      await native.run(`CREATE TABLE IF NOT EXISTS ${identifier(this.name)} (${columns})`);
      if (rows.length > 0) appendRows(await native.createAppender(this.name), rows);
    });
  }
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
