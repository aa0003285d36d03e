/**
 * Vectors of another model for a table that is there, in a table of their own beside it, while the job that fills it goes on.
 *
 * Promise: when a run ends by itself, every row of the table as the last round found it has the vector of its text, or a dead
 * letter that says why it has none, and no vector is of a row that had left by then; that round is as late as a table that goes on
 * changing allows. What is done stays done, wherever a run is stopped: what is missing is asked of the two tables themselves. A
 * text that did not change is not embedded again.
 */
import type { LetterDraft } from "../change/dead_letter.ts";
import type { Position } from "../change/position.ts";
import type { Relation } from "../change/relation.ts";
import type { Scan, Sink } from "../change/sink.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Embedder } from "../embed/embedder.ts";
import { textColumns, type TextDeclaration } from "../embed/text_declaration.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier } from "../engine/quote.ts";
import { Scratch } from "../engine/scratch.ts";
import { createEmbed, type EmbedTransform } from "../transform/embed.ts";
import { embeddingColumns } from "../transform/embedding_columns.ts";
import { departedSql, pendingSql, rowsViewSql, type VectorsBeside } from "./pending_rows.ts";

/** What a run may spend. It ends at the first bound it meets. */
export interface ReembedBudget {
  /** Default: no bound. */
  readonly rows?: number;
  /** Default: no bound. */
  readonly ms?: number;
}

/** What {@linkcode Reembed} works with. */
export interface ReembedOptions {
  readonly connection: Connection;
  readonly embedder: Embedder;
  readonly text: TextDeclaration;
  /** The table as the lake has it. It has a key. */
  readonly table: Pick<TableDefinition, "namespace" | "name" | "columns" | "key">;
  /** The table's newest snapshot. */
  readonly scan: () => Promise<Scan>;
  /** Takes the vectors. */
  readonly sink: Sink;
  readonly signal: AbortSignal;
  readonly writeLetters: (drafts: readonly LetterDraft[], batch: LetterBatch) => Promise<void>;
}

/** The rows whose refusals are written. */
export interface LetterBatch {
  readonly position: Position;
  readonly rows: number;
}

/** How a run ended. */
export interface ReembedOutcome {
  /** Rows whose vector was computed. */
  readonly embedded: number;
  /** Rows that got a dead letter and no vector. */
  readonly failed: number;
  /** Vectors of rows that had left. */
  readonly removed: number;
  /**
   * Whether no row waits any more, as the last round found the table; false where the budget was spent or somebody stopped it. A row
   * whose text could not be embedded does not wait.
   */
  readonly complete: boolean;
}

/** What the table of vectors holds. */
export interface HeldVectors {
  readonly vectors: number;
  /** Rows whose text could not be embedded, in this run or in one before. */
  readonly withoutVector: number;
}

/** Rows looked for at once: their texts' columns stand in the engine, which spills to disk. */
const rowsPerRound = 500_000;
/** Time between two table commits; what a kill costs at most. */
const commitMs = 15_000;
/** Bounds of a commit's rows: the first ones tell how fast the model is. */
const fewestRows = 1_024;
const mostRows = 131_072;

/** Columns of the table of vectors. */
export function vectorsDefinition({ namespace, name, columns, key }: ReembedOptions["table"]): TableDefinition {
  const keyColumns = columns.filter((column) => key.includes(column.name));
  return { namespace, name, key, columns: [...keyColumns, ...embeddingColumns] };
}

/** What positions of such tables begin with: they are no source's. */
const instancePrefix = "vectors:";

/** Whether a table holds vectors that were made beside another one, and no rows of a source. */
export function holdsVectors(position: Position | undefined): boolean {
  return position?.instance.startsWith(instancePrefix) ?? false;
}

/** The embedding of one table. */
export class Reembed {
  readonly #options: ReembedOptions;
  readonly #embed: EmbedTransform;
  /** What is kept of vectors does not make the model look faster than it is. */
  readonly #embedAnew: EmbedTransform;
  readonly #vectors: TableDefinition;
  /** The columns that are read: the key and the text's. */
  readonly #read: TableDefinition;
  #rowsPerMs = 0;

  constructor(options: ReembedOptions) {
    const { table, text, embedder } = options;
    const wanted = new Set([...table.key, ...textColumns(text)]);
    this.#options = options;
    this.#embed = createEmbed({ text, embedder });
    this.#embedAnew = createEmbed({ text, embedder: embedder.anew ?? embedder });
    this.#vectors = vectorsDefinition(table);
    this.#read = { ...table, columns: table.columns.filter(({ name }) => wanted.has(name)) };
  }

  /** How many rows wait for a vector. */
  async pending(): Promise<number> {
    await using open = await this.#open();
    return Number(await this.#options.connection.value(`SELECT count(*) FROM (${pendingSql(open.beside)})`));
  }

  /** What has been committed by now. The vectors themselves are not read: a row that has one says when it was computed. */
  async held(): Promise<HeldVectors> {
    const { connection, sink } = this.#options;
    using scan = await sink.scan();
    if (scan === undefined) return { vectors: 0, withoutVector: 0 };
    const [row] = await connection.rows(
      `SELECT count(embedding_timestamp) AS vectors, count(*) AS rows FROM (${scan.sql})`,
    );
    const [vectors, rows] = [Number(row!.vectors), Number(row!.rows)];
    return { vectors, withoutVector: rows - vectors };
  }

  /** Embeds a few of the waiting rows, keeps nothing of them, and gives the rows per second. Undefined where none waits. */
  async measure(rows: number): Promise<number | undefined> {
    await using open = await this.#open();
    const sample = await this.#take(open, rows);
    if (sample.rows === 0) return undefined;
    const { scratch } = open;
    // Once for the model to warm up.
    const embed = this.#embedAnew;
    await this.#vectorsOf(await this.#slice(sample, { first: 0, rows: Math.min(64, rows), scratch }), {
      scratch,
      embed,
    });
    const startedMs = performance.now();
    await this.#vectorsOf(sample, { scratch, embed });
    return sample.rows / Math.max(0.001, (performance.now() - startedMs) / 1000);
  }

  /** Embeds what waits, until nothing does or the budget is spent. `onProgress` hears of the rows done after each table commit. */
  async run(budget: ReembedBudget = {}, onProgress: (rows: number) => void = () => {}): Promise<ReembedOutcome> {
    const { signal } = this.#options;
    const endMs = performance.now() + (budget.ms ?? Infinity);
    const done = { embedded: 0, failed: 0, removed: 0, complete: false };
    const leftRows = () => (budget.rows ?? Infinity) - done.embedded - done.failed;
    const isSpent = () => signal.aborted || leftRows() <= 0 || performance.now() >= endMs;
    const onCommit = ({ rows, failed }: CommittedRows) => {
      done.failed += failed;
      done.embedded += rows - failed;
      onProgress(done.embedded + done.failed);
    };
    for (let before = Infinity; !done.complete && !isSpent();) {
      await using open = await this.#open();
      const most = Math.min(rowsPerRound, leftRows());
      const round = await this.#take(open, most);
      const isAll = await this.#commitRound(round, { isSpent, endMs, onCommit }) && round.rows < most;
      if (!isAll) continue;
      // Of a table that changes all the time some rows always wait: it is gone after as long as they become fewer.
      if (round.rows > 0 && round.rows <= before / 2) {
        before = round.rows;
        continue;
      }
      // After hours of embedding, what was opened before may have expired.
      await using now = round.rows > 0 ? await this.#open() : undefined;
      done.removed += await this.#removeDeparted(now ?? open);
      done.complete = true;
    }
    return done;
  }

  /** Embeds and commits a round's rows, one commit after the other, and answers whether it came to their end. */
  async #commitRound(
    round: Relation,
    { isSpent, endMs, onCommit }: {
      readonly isSpent: () => boolean;
      readonly endMs: number;
      readonly onCommit: (committed: CommittedRows) => void;
    },
  ): Promise<boolean> {
    const { signal } = this.#options;
    for (let first = 0; first < round.rows;) {
      if (isSpent()) return false;
      const committed = await this.#commit(round, { first, rows: this.#commitRows(endMs) }).catch((thrown) => {
        // Stopped between two batches of texts: what was not committed waits again.
        if (thrown !== signal.reason) throw thrown;
      });
      if (committed === undefined) return false;
      first += committed.rows;
      onCommit(committed);
    }
    return true;
  }

  #commitRows(endMs: number): number {
    const ms = Math.min(commitMs, endMs - performance.now());
    return Math.min(mostRows, Math.max(fewestRows, Math.ceil(this.#rowsPerMs * ms)));
  }

  async #open(): Promise<OpenTables> {
    const { connection, scan, sink, text, embedder } = this.#options;
    await using stack = new AsyncDisposableStack();
    const scratch = stack.use(new Scratch(connection));
    const present = await scan();
    scratch.keep(present);
    const held = await sink.scan();
    if (held !== undefined) scratch.keep(held);
    const rows = scratch.name("rows");
    await connection.run(`CREATE VIEW ${identifier(rows)} AS ${rowsViewSql(present.sql, this.#read.columns)}`);
    const { key, columns } = this.#read;
    const beside = { key, columns, text, model: embedder.model, rows, vectors: held?.sql };
    const kept = stack.move();
    return { beside, scratch, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  }

  /** Some of the rows that wait, in a table. */
  async #take({ beside, scratch }: OpenTables, rows: number): Promise<Relation> {
    const name = scratch.name("pending");
    const select = `SELECT row_number() OVER () - 1 AS _ordinal, false AS _delete, *
      FROM (${pendingSql(beside)} LIMIT ${Math.floor(rows)})`;
    return { name, definition: this.#read, rows: await this.#create(name, select) };
  }

  /** Makes a table and gives the number of its rows. */
  async #create(name: string, select: string): Promise<number> {
    const { connection } = this.#options;
    await connection.run(`CREATE TABLE ${identifier(name)} AS ${select}`);
    return Number(await connection.value(`SELECT count(*) FROM ${identifier(name)}`));
  }

  async #slice(
    round: Relation,
    { first, rows, scratch }: { readonly first: number; readonly rows: number; readonly scratch: Scratch },
  ): Promise<Relation> {
    const name = scratch.name("slice");
    const select = `SELECT * FROM ${identifier(round.name)} WHERE rowid >= ${first} AND rowid < ${first + rows}`;
    return { ...round, name, rows: await this.#create(name, select) };
  }

  /** The rows' key and embedding columns, as the sink takes them. */
  async #vectorsOf(
    rows: Relation,
    { scratch, drafts = [], embed = this.#embed }: {
      readonly scratch: Scratch;
      readonly drafts?: LetterDraft[];
      readonly embed?: EmbedTransform;
    },
  ): Promise<Relation> {
    const { connection, signal } = this.#options;
    const embedded = await embed.apply(rows, {
      connection,
      signal,
      temporaryName: scratch.name,
      temporaryFile: scratch.file,
      deadLetter: (letter) => void drafts.push(letter),
      // Rows whose vector stands do not come here.
      currentRows: () => Promise.resolve(undefined),
    });
    const name = scratch.name("vectors");
    const columns = this.#vectors.columns.map((column) => identifier(column.name));
    await connection.run(`CREATE VIEW ${identifier(name)} AS
      SELECT _ordinal, _delete, _replaces, ${columns.join(", ")} FROM ${identifier(embedded.name)}`);
    const { rows: embeddedRows, vectors } = embedded;
    return { name, definition: this.#vectors, rows: embeddedRows, ...(vectors && { vectors }) };
  }

  /** Embeds and commits some rows of a round. */
  async #commit(
    round: Relation,
    range: { readonly first: number; readonly rows: number },
  ): Promise<CommittedRows> {
    const startedMs = performance.now();
    await using scratch = new Scratch(this.#options.connection);
    const drafts: LetterDraft[] = [];
    const upserts = await this.#vectorsOf(await this.#slice(round, { ...range, scratch }), { scratch, drafts });
    const { rows } = upserts;
    const position = await this.#nextPosition();
    await this.#options.writeLetters(drafts, { position, rows });
    await this.#change({ upserts }, position);
    this.#rowsPerMs = rows / (performance.now() - startedMs);
    return { rows, failed: drafts.length };
  }

  async #removeDeparted({ beside, scratch }: OpenTables): Promise<number> {
    const { vectors } = beside;
    if (vectors === undefined) return 0;
    const name = scratch.name("departed");
    const rows = await this.#create(name, departedSql({ ...beside, vectors }));
    if (rows === 0) return 0;
    await this.#change({ removals: { name, definition: this.#vectors, rows } }, await this.#nextPosition());
    return rows;
  }

  async #change(
    rows: { readonly upserts: Relation } | { readonly removals: Relation },
    position: Position,
  ): Promise<void> {
    await this.#options.sink.commit({
      ...rows,
      definition: this.#vectors,
      schemaChanges: [],
      truncate: false,
      scope: this.#vectors.key,
      position,
      commitTimeMs: Date.now(),
    });
  }

  /** Counts the commits, so that one whose outcome is not known can be told from the one before it. */
  async #nextPosition(): Promise<Position> {
    const { namespace, name } = this.#vectors;
    const { position } = await this.#options.sink.status();
    return { instance: `${instancePrefix}${namespace}.${name}`, offset: String(BigInt(position?.offset ?? 0) + 1n) };
  }
}

/** What a table commit took up. */
interface CommittedRows {
  readonly rows: number;
  /** Of them. */
  readonly failed: number;
}

/** Both tables at one moment. Disposing lets go of them. */
interface OpenTables extends AsyncDisposable {
  readonly beside: VectorsBeside;
  readonly scratch: Scratch;
}
