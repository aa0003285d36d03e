/**
 * The initial copy: whole tables as of one position, in parts of bounded size, read by several connections at once.
 *
 * Promise: every row the snapshot shows is in exactly one part, no table changes its columns while it is read, and parts that
 * nobody took are removed.
 */
import type { LetterDraft } from "../../change/dead_letter.ts";
import type { SpoolColumn, SpoolSegment } from "../../change/micro_batch.ts";
import type { InitialCopyPart } from "../../change/source.ts";
import type { Dataset } from "../../dataset/dataset.ts";
import { WeirError } from "../../errors.ts";
import { failPoint } from "../../fail_point.ts";
import type { CatalogueTable } from "./catalogue.ts";
import type { PostgresConnection } from "./connection.ts";
import type { CopyPlan } from "./copy_plan.ts";
import { formatLsn } from "./lsn.ts";
import { PartQueue } from "./part_queue.ts";
import { removeFiles, type SpoolFile, type SpoolFolder } from "./spool_folder.ts";

/** Every point of the initial copy at which a test may stop it. */
export const copyFailPoints = [
  "copy.afterSnapshot",
  "copy.afterLocks",
  "copy.whileReading",
  "copy.beforePart",
  "copy.afterPart",
  "copy.afterLastPart",
] as const;

/** One table to copy. */
export interface TableCopy {
  readonly table: CatalogueTable;
  readonly dataset: Dataset;
  readonly columns: readonly SpoolColumn[];
  readonly plan: CopyPlan;
}

/** What the copy works with. */
export interface TableCopyOptions {
  readonly instance: string;
  readonly lsn: bigint;
  /** All under the same snapshot. */
  readonly connections: readonly PostgresConnection[];
  readonly folder: SpoolFolder;
  /** A part ends once it holds so many bytes. */
  readonly partBytes: number;
  readonly maxValueBytes: number;
  readonly signal: AbortSignal;
}

interface FinishedPart {
  readonly path: string;
  readonly rows: number;
  readonly longestLineBytes: number;
}

/** Copies one table. */
export async function* copyTable(copy: TableCopy, options: TableCopyOptions): AsyncGenerator<InitialCopyPart> {
  const parts = new PartQueue<FinishedPart>(options.connections.length, (part) => removeFiles([part.path]));
  const statements = [...copy.plan.statements];
  const readers = options.connections.map((connection) =>
    readChunks({ connection, statements, parts }, options).catch((thrown) => parts.fail(thrown))
  );
  // Over when the last reader is: one that another's failure stops still has a file to remove.
  const reading = Promise.all(readers).then(() => parts.end());
  const cancel = () => parts.fail(new WeirError("interrupted", "The initial copy was interrupted"));
  options.signal.addEventListener("abort", cancel, { once: true });
  if (options.signal.aborted) cancel();
  // One part is kept back until it is known whether another follows.
  const kept = new Set<FinishedPart>();
  const take = async () => {
    const part = await parts.take();
    if (part !== undefined) kept.add(part);
    return part;
  };
  let isComplete = false;
  try {
    for (let part = await take(); part !== undefined;) {
      const following = await take();
      isComplete = following === undefined;
      const deadLetters = isComplete ? await oversizedValues(copy, { ...options, firstOrdinal: part.rows }) : [];
      await failPoint("copy.beforePart");
      kept.delete(part);
      yield partOf(copy, { ...options, part, last: isComplete, deadLetters });
      await failPoint("copy.afterPart");
      part = following;
    }
    await failPoint("copy.afterLastPart");
  } finally {
    options.signal.removeEventListener("abort", cancel);
    await parts.close();
    // A reader that is still inside a COPY would read the rest of its chunk for nobody.
    if (!isComplete) { for (const connection of options.connections) connection.destroy(); }
    await reading;
    await removeFiles([...kept].map((part) => part.path));
  }
}

interface ReaderOptions {
  readonly connection: PostgresConnection;
  /** Shared by all readers: each takes the next one. */
  readonly statements: string[];
  readonly parts: PartQueue<FinishedPart>;
}

/** Reads chunks until none is left, into parts of bounded size. The first reader gives a part even of an empty table. */
async function readChunks(reader: ReaderOptions, options: TableCopyOptions): Promise<void> {
  const { connection, statements, parts } = reader;
  let open: { file: SpoolFile; rows: number } | undefined;
  const finish = async (full: { file: SpoolFile; rows: number }) => {
    await full.file.end();
    await parts.put({ path: full.file.path, rows: full.rows, longestLineBytes: full.file.longestRowBytes });
  };
  try {
    for (let statement = statements.shift(); statement !== undefined; statement = statements.shift()) {
      open ??= { file: options.folder.open(), rows: 0 };
      await failPoint("copy.whileReading");
      await connection.copyOut(statement, (row) => {
        open ??= { file: options.folder.open(), rows: 0 };
        open.file.reserve(row.length);
        open.file.buffer.raw(row);
        open.rows++;
        if (open.file.bytes < options.partBytes) return options.folder.backPressure;
        const full = open;
        open = undefined;
        return finish(full);
      });
    }
    if (open !== undefined && (open.rows > 0 || parts.isUntouched)) await finish(open);
    else await open?.file.discard();
  } catch (thrown) {
    await open?.file.discard();
    throw thrown;
  }
}

function partOf(
  copy: TableCopy,
  options: TableCopyOptions & {
    readonly part: FinishedPart;
    readonly last: boolean;
    readonly deadLetters: readonly LetterDraft[];
  },
): InitialCopyPart {
  const { part, last, deadLetters } = options;
  const { dataset } = copy;
  const segment: SpoolSegment = {
    layout: "rows",
    paths: [part.path],
    columns: copy.columns,
    rows: part.rows,
    inserts: part.rows,
    updates: 0,
    deletes: 0,
    keyChanges: 0,
    unchangedRows: 0,
    longestLineBytes: part.longestLineBytes,
    schemaChanges: [],
  };
  const source = `${dataset.source.namespace}.${dataset.source.table}`;
  return {
    dataset,
    position: { instance: options.instance, offset: formatLsn(options.lsn) },
    changes: { source, key: dataset.key, segments: [segment], deadLetters },
    last,
    release: () => removeFiles([part.path]),
  };
}

/** Names the values that the statements left out because of their size, under ordinals that no row of the part has. */
async function oversizedValues(
  copy: TableCopy,
  options: TableCopyOptions & { readonly firstOrdinal: number },
): Promise<readonly LetterDraft[]> {
  const [connection] = options.connections;
  if (copy.plan.oversized === undefined || connection === undefined) return [];
  const rows = await connection.rows<{ column: string | null; key: string | null; bytes: number }>(copy.plan.oversized);
  return rows.map(({ column, key, bytes }, index) => ({
    ordinal: BigInt(options.firstOrdinal + index),
    ...(key === null ? {} : { key }),
    ...(column === null ? {} : { column }),
    reason: `${bytes} bytes of text, more than maxValueBytes (${options.maxValueBytes})`,
  }));
}
