/** `deno task sql` as a user runs it, over a small lake of its own. */
import { statementSettings } from "../../jobs/wiring/sql/statement_settings.ts";
import { openStatementLake } from "../../jobs/wiring/sql/statement_lake.ts";
import { Database } from "../../lib/engine/database.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import { csvBytes } from "../../lib/sql/output/row_bytes.ts";
import { VectorLake } from "../../lib/testing/vector_lake.ts";

/** The repository. */
export const root: string = new URL("../../", import.meta.url).pathname;

/** What became of a run. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** How a run differs from that of a plain statement. */
export interface RunOptions {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Sends SIGINT once it has printed something, and the statement after that runs. Default false. */
  readonly isInterrupted?: boolean;
}

/** The command and its arguments, as the task has them. */
export const jobArguments: readonly string[] = ["run", "-q", "--no-prompt", "-P=sql", "jobs/sql.ts"];

/** Runs the job to its end. */
export async function sqlJob(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { input, environment, isInterrupted = false } = options;
  const child = new Deno.Command(Deno.execPath(), {
    args: [...jobArguments, ...args],
    cwd: root,
    env: { NO_COLOR: "1", ...environment },
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const [printed, watched] = child.stdout.tee();
  const interrupted = isInterrupted ? interruptOncePrinted(child, watched) : watched.cancel();
  const [bytes, stderr, { code }] = await Promise.all([
    new Response(printed).bytes(),
    new Response(child.stderr).text(),
    child.status,
    interrupted,
  ]);
  return { code, stdout: new TextDecoder().decode(bytes), stderr, bytes };
}

async function interruptOncePrinted(child: Deno.ChildProcess, printed: ReadableStream<Uint8Array>): Promise<void> {
  const reader = printed.getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 300));
  child.kill("SIGINT");
  await reader.cancel();
}

/** An open lake of notes. */
export interface OpenNotes extends AsyncDisposable {
  /** Gives the rows as CSV. */
  run(statement: string): Promise<string>;
}

/** The lake as the job opens it, in this process. */
export async function openNotes(
  lake: string,
  flags: Readonly<Record<string, string>> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<OpenNotes> {
  const given = Object.entries({ lake, ...flags }).map(([name, text]) => [name, [text]] as const);
  const settings = resolveSettings(statementSettings, {
    flags: new Map(given),
    environment: (name) => environment[name],
    file: {},
  });
  const progress = { update: () => {}, end: () => {}, note: () => {} };
  const opened = await openStatementLake(settings, { progress });
  const run = (statement: string) =>
    opened.session.run(statement, new AbortController().signal, async (rows) => {
      const decoder = new TextDecoder();
      let text = "";
      for await (const bytes of csvBytes(rows)) text += decoder.decode(bytes, { stream: true });
      return text;
    });
  return { run, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

/**
 * Runs a body with a lake of the table `desk.notes` in every format; its place is relative to the repository. Statements only
 * read: the tests of a file share it.
 */
export async function withNotes(body: (lake: string) => Promise<void>): Promise<void> {
  await body(await (made ??= makeNotes()));
}

let made: Promise<string> | undefined;

async function makeNotes(): Promise<string> {
  const name = `data/lake/sql-${crypto.randomUUID()}`;
  const folder = `${root}${name}`;
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  await Deno.mkdir(`${folder}/engine`, { recursive: true });
  const database = await Database.open({ folders: [folder], temporaryFolder: `${folder}/engine` });
  const connection = await database.connect();
  for (const format of ["iceberg", "paimon", "delta"] as const) {
    const notes = new VectorLake({ folder, connection }, { format });
    await notes.write([{ id: 1, text: "Rent of the flat", stars: 3 }, { id: 2, text: "Petrol for the car" }]);
  }
  connection.close();
  database.close();
  return `${name}/lake`;
}
