/** The source as it was at one position, open for statements while rows keep flowing (design §3, verification). */
import type { Position } from "../../change/position.ts";
import type { ComparableDataset, VerificationPoint } from "../../change/source.ts";
import { spoolCopyOptions } from "../../change/spool_format.ts";
import type { Dataset } from "../../dataset/dataset.ts";
import type { PostgresConnection } from "./connection.ts";
import type { SharedSnapshot } from "./shared_snapshot.ts";
import { SpoolFile, type SpoolFolder } from "./spool_folder.ts";

/** What a {@linkcode PostgresVerificationPoint} works with. */
export interface VerificationPointOptions {
  readonly position: Position;
  readonly snapshot: SharedSnapshot;
  readonly folder: SpoolFolder;
  /** Answers `comparable`, with the connection that sees the snapshot. */
  readonly comparable: (dataset: Dataset, connection: PostgresConnection) => Promise<ComparableDataset>;
  readonly onClose: () => void;
}

/** A point over one connection of a shared snapshot. */
export class PostgresVerificationPoint implements VerificationPoint {
  readonly position: Position;
  readonly #options: VerificationPointOptions;
  readonly #connection: PostgresConnection;
  readonly #comparable = new Map<string, Promise<ComparableDataset>>();

  constructor(options: VerificationPointOptions) {
    const [connection] = options.snapshot.connections;
    if (connection === undefined) throw new RangeError("Cannot verify without a connection");
    this.position = options.position;
    this.#options = options;
    this.#connection = connection;
  }

  /** Asked once a dataset: its columns cannot change any more, and a question may wait behind somebody who wants to. */
  comparable(dataset: Dataset): Promise<ComparableDataset> {
    const { namespace, table } = dataset.source;
    const name = JSON.stringify([namespace, table]);
    const known = this.#comparable.get(name) ?? this.#options.comparable(dataset, this.#connection);
    this.#comparable.set(name, known);
    return known;
  }

  /** Writes a SELECT's rows to a path and gives their number. Throws `storage` or `storageFull` for the file. */
  async copyTo(statement: string, path: string): Promise<number> {
    const { folder } = this.#options;
    const file = new SpoolFile(folder, path);
    let rows = 0;
    try {
      await this.#connection.copyOut(`COPY (${statement}) TO STDOUT (${spoolCopyOptions})`, (row) => {
        file.reserve(row.length);
        file.buffer.raw(row);
        rows++;
        return folder.backPressure;
      });
    } catch (thrown) {
      await file.discard();
      throw thrown;
    }
    await file.end();
    return rows;
  }

  async close(): Promise<void> {
    this.#options.onClose();
    await this.#options.snapshot.close();
  }
}
