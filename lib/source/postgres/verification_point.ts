/** The source as it was at one position, open for statements while rows keep flowing (design §3, verification). */
import type { Position } from "../../change/position.ts";
import type { VerificationPoint } from "../../change/source.ts";
import type { PostgresConnection } from "./connection.ts";
import type { SharedSnapshot } from "./shared_snapshot.ts";
import { SpoolFile, type SpoolFolder } from "./spool_folder.ts";

/** A point over one connection of a shared snapshot. */
export class PostgresVerificationPoint implements VerificationPoint {
  readonly position: Position;
  readonly #snapshot: SharedSnapshot;
  readonly #connection: PostgresConnection;
  readonly #folder: SpoolFolder;

  constructor(position: Position, snapshot: SharedSnapshot, folder: SpoolFolder) {
    const [connection] = snapshot.connections;
    if (connection === undefined) throw new RangeError("Cannot verify without a connection");
    this.position = position;
    this.#snapshot = snapshot;
    this.#connection = connection;
    this.#folder = folder;
  }

  /** Writes a SELECT's rows to a path and gives their number. Throws `storage` or `storageFull` for the file. */
  async copyTo(statement: string, path: string): Promise<number> {
    const file = new SpoolFile(this.#folder, path);
    let rows = 0;
    try {
      await this.#connection.copyOut(`COPY (${statement}) TO STDOUT (FORMAT csv, FORCE_QUOTE *)`, (row) => {
        file.reserve(row.length);
        file.buffer.raw(row);
        rows++;
        return this.#folder.backPressure;
      });
    } catch (thrown) {
      await file.discard();
      throw thrown;
    }
    await file.end();
    return rows;
  }

  async close(): Promise<void> {
    await this.#snapshot.close();
  }
}
