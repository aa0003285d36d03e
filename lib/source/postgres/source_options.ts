/** What a PostgreSQL source can be told, and what holds where it is not. */
import type { Dataset } from "../../dataset/dataset.ts";
import type { StreamLimits } from "./change_stream.ts";

/** Options of a PostgreSQL source. Without datasets and tables it can be torn down and nothing else. */
export interface PostgresSourceOptions {
  /** Connection string of the source database. */
  readonly url: string;
  /** Absolute folder for spool files and what is remembered of the tables; of one slot only. */
  readonly folder: string;
  /** Declared contracts. */
  readonly datasets?: readonly Dataset[];
  /** Tables whose contract is inferred from the catalogue: `namespace.table`, with `*` and `?`; those of `!` are left out. */
  readonly tables?: readonly string[];
  /** Default `weir`. */
  readonly slot?: string;
  /** Default `weir`. */
  readonly publication?: string;
  /** Rows after which a batch ends at the next source commit. Default 200,000. */
  readonly batchRows?: number;
  /** Bytes of row messages after which a batch ends at the next source commit. Default 128 MiB. */
  readonly batchBytes?: number;
  /** Milliseconds after which a batch that somebody waits for ends. Default 1000. */
  readonly batchMs?: number;
  /** Milliseconds between empty batches while nothing changes. Default 10,000. */
  readonly heartbeatMs?: number;
  /** Milliseconds between status replies to the server. Default 1000. */
  readonly statusMs?: number;
  /** Milliseconds to go on trying to connect the stream, at first and after it was lost. Default 60,000. */
  readonly reconnectMs?: number;
  /** Milliseconds without a word of the server after which the stream counts as lost. Default 60,000. */
  readonly silenceMs?: number;
  /** Milliseconds to wait for another reader to let go of the slot. Default 5000. */
  readonly slotWaitMs?: number;
  /** Milliseconds to wait for running transactions when a snapshot is opened. Default 600,000. */
  readonly snapshotWaitMs?: number;
  /** Told what keeps the source waiting once it has waited for some seconds. */
  readonly onWait?: (text: string) => void;
  /** Bytes of text above which a value is left out and dead-lettered. Default 64 MiB. */
  readonly maxValueBytes?: number;
  /** Connections that read a table at once during the initial copy. Default 2. */
  readonly copyConnections?: number;
  /** Bytes of a part of the initial copy. Default 128 MiB. */
  readonly copyPartBytes?: number;
}

/** The limits of the stream, defaults filled in. */
export function streamLimits(options: PostgresSourceOptions): StreamLimits {
  return {
    batchRows: options.batchRows ?? 200_000,
    batchBytes: options.batchBytes ?? 128 * 2 ** 20,
    batchMs: options.batchMs ?? 1000,
    heartbeatMs: options.heartbeatMs ?? 10_000,
    statusMs: options.statusMs ?? 1000,
    reconnectMs: options.reconnectMs ?? 60_000,
    silenceMs: options.silenceMs ?? 60_000,
    maxValueBytes: options.maxValueBytes ?? 64 * 2 ** 20,
  };
}
