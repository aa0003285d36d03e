/** `deno task sql` as a user runs it, over a small lake of its own. */
import { Database } from "../../lib/engine/database.ts";
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
  /** Sends SIGINT so many milliseconds after the start. */
  readonly interruptAfterMs?: number;
}

/** The command and its arguments, as the task has them. */
export const jobArguments: readonly string[] = ["run", "-q", "--no-prompt", "-P=sql", "jobs/sql.ts"];

/** Runs the job to its end. */
export async function sqlJob(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { input, environment, interruptAfterMs } = options;
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
  const timer = interruptAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGINT"), interruptAfterMs);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr), bytes: stdout };
}

/** Runs a body with a lake of the table `desk.notes` in every format; its place is relative to the repository. */
export async function withNotes(body: (lake: string) => Promise<void>): Promise<void> {
  const name = `data/lake/sql-${crypto.randomUUID()}`;
  const folder = `${root}${name}`;
  await Deno.mkdir(`${folder}/engine`, { recursive: true });
  try {
    const database = await Database.open({ folders: [folder], temporaryFolder: `${folder}/engine` });
    const connection = await database.connect();
    for (const format of ["iceberg", "paimon", "delta"] as const) {
      const notes = new VectorLake({ folder, connection }, { format });
      await notes.write([{ id: 1, text: "Rent of the flat", stars: 3 }, { id: 2, text: "Petrol for the car" }]);
    }
    connection.close();
    database.close();
    await body(`${name}/lake`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
