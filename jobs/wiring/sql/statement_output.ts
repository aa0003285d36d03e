/** What becomes of a statement's rows: printed, or written into a file. */
import type { DuckDBDataChunk } from "@duckdb/node-api";
import { dirname, extname, join, resolve } from "node:path";
import { requirePermissions } from "../../../lib/cli/permission.ts";
import { printedColumns } from "../../../lib/cli/terminal_size.ts";
import { storageError, WeirError } from "../../../lib/errors.ts";
import { csvBytes, jsonBytes, type RowBytes, tableBytes } from "../../../lib/sql/output/row_bytes.ts";
import type { SqlSession, StatementRows } from "../../../lib/sql/session.ts";
import { writeAll } from "../../../lib/storage/write_all.ts";
import type { StatementSettings } from "./statement_settings.ts";

/** Forms that rows are given. */
export type OutputFormat = Exclude<StatementSettings["output"], "auto">;

/** Where rows go. */
export interface StatementOutput {
  readonly format: OutputFormat;
  /** Absolute. Undefined: they are printed. */
  readonly out: string | undefined;
  /** Prints bytes. False: nobody reads them. */
  readonly write: (bytes: Uint8Array) => boolean;
  /** Absolute; for files until they are whole. */
  readonly workFolder: string;
}

/** Which form the user wants; throws `configuration` where a terminal would be given bytes, or what is wanted does not go together. */
export async function outputOf(
  { output, out }: Pick<StatementSettings, "output" | "out">,
): Promise<Pick<StatementOutput, "format" | "out">> {
  const format = output === "auto" ? formatOf(out) : output;
  if (out === undefined) {
    requirePrintable(format);
    return { format, out };
  }
  const path = resolve(out);
  await requireParent(path);
  requirePermissions("sql", [{ kind: "folder", path }]);
  return { format, out: path };
}

/** Of the folder of results that comes with us, that is made. */
async function requireParent(path: string): Promise<void> {
  const folder = dirname(path);
  if (folder === resolve(resultsFolder)) await Deno.mkdir(folder, { recursive: true });
}

/** Where results may be written without asking for more permissions. */
const resultsFolder = "data/results";

const endings: Readonly<Record<string, OutputFormat>> = {
  ".csv": "csv",
  ".json": "json",
  ".arrow": "arrow",
  ".parquet": "parquet",
  ".txt": "table",
};

function formatOf(out: string | undefined): OutputFormat {
  if (out === undefined) return "table";
  const format = endings[extname(out).toLowerCase()];
  if (format !== undefined) return format;
  throw new WeirError("configuration", `the name ${out} does not say what to write`, {
    advice: "End it with .csv, .json, .arrow, .parquet or .txt, or give --output",
  });
}

function requirePrintable(format: OutputFormat): void {
  if (!Deno.stdout.isTerminal() || (format !== "arrow" && format !== "parquet")) return;
  throw new WeirError("configuration", `${format} is nothing to be read on a terminal`, {
    advice: "Give --out FILE, or send it to another program",
  });
}

/** Runs a statement and gives its rows where they belong. Returns how many there were. */
export async function answer(
  session: SqlSession,
  statement: string,
  { output, signal }: { readonly output: StatementOutput; readonly signal: AbortSignal },
): Promise<number> {
  const { format, out, workFolder } = output;
  if (format === "parquet") return await answerParquet(session, statement, { output, signal });
  let count = 0;
  await session.run(statement, signal, async (rows) => {
    const chunks = countedChunks(rows, (more) => count += more);
    const pieces = makers[format](out)({ ...rows, chunks });
    if (out === undefined) await print(pieces, output, signal);
    else await writeFile(pieces, { out, made: join(workFolder, crypto.randomUUID()), signal });
  });
  return count;
}

const makers: Readonly<Record<Exclude<OutputFormat, "parquet">, (out: string | undefined) => RowBytes>> = {
  table: (out) => (rows) => tableBytes(rows, { cells: out === undefined ? printedColumns() : undefined }),
  csv: () => csvBytes,
  json: () => jsonBytes,
  arrow: (out) =>
    async function* (rows) {
      // Loaded when it is asked for: most statements are printed.
      const { arrowBytes } = await import("../../../lib/sql/output/arrow_bytes.ts");
      yield* arrowBytes(rows, out === undefined ? "stream" : "file");
    },
};

async function answerParquet(
  session: SqlSession,
  statement: string,
  { output, signal }: { readonly output: StatementOutput; readonly signal: AbortSignal },
): Promise<number> {
  const made = join(output.workFolder, `${crypto.randomUUID()}.parquet`);
  const count = await session.writeParquet(statement, made, signal);
  if (output.out !== undefined) await place(made, output.out);
  else {
    using file = await Deno.open(made);
    await print(file.readable, output, signal);
    await Deno.remove(made);
  }
  return count;
}

async function print(
  pieces: AsyncIterable<Uint8Array>,
  { write }: StatementOutput,
  signal: AbortSignal,
): Promise<void> {
  for await (const bytes of pieces) {
    signal.throwIfAborted();
    if (!write(bytes)) return;
  }
}

async function* countedChunks(
  { chunks }: StatementRows,
  count: (rows: number) => void,
): AsyncGenerator<DuckDBDataChunk, void> {
  for await (const chunk of chunks) {
    count(chunk.rowCount);
    yield chunk;
  }
}

/** The file is made elsewhere and takes its place once it is whole. */
async function writeFile(
  pieces: AsyncIterable<Uint8Array>,
  { made, out, signal }: { readonly made: string; readonly out: string; readonly signal: AbortSignal },
): Promise<void> {
  {
    using file = await Deno.open(made, { write: true, createNew: true });
    for await (const bytes of pieces) {
      signal.throwIfAborted();
      await writeAll(file, bytes);
    }
  }
  await place(made, out);
}

async function place(made: string, out: string): Promise<void> {
  try {
    await Deno.rename(made, out).catch(async (thrown) => {
      // Another file system.
      if ((thrown as { code?: string }).code !== "EXDEV") throw thrown;
      await Deno.copyFile(made, out);
    });
  } catch (thrown) {
    throw storageError(thrown, out);
  }
}
