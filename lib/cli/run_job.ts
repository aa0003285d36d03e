/**
 * The frame of every job: settings in, result and exit code out.
 *
 * Promise: exit code 0 for real success alone; with `--json` exactly one object on standard output, whatever happens; no secret
 * on either stream; the first Ctrl-C stops cleanly, the second at once.
 */
import { settings as allSettings } from "../settings/declarations.ts";
import { toggle } from "../settings/kinds.ts";
import { type Redaction, redaction } from "../settings/redaction.ts";
import { givenSecrets, readEnvironmentFile, resolveSettings, type SettingSources } from "../settings/resolve.ts";
import type { Declarations, SettingValues } from "../settings/setting.ts";
import { readArguments } from "./arguments.ts";
import { errorReport, errorText, presentable } from "./error_text.ts";
import { helpText, type JobDescription } from "./help.ts";
import { Interruption } from "./interruption.ts";
import { explainRefusal } from "./permission.ts";
import { Progress } from "./progress.ts";

/** What a job gets. */
export interface JobContext<Declared extends Declarations> {
  readonly settings: SettingValues<Declared>;
  /** Aborts on Ctrl-C and SIGTERM: finish what is running, keep what is committed, return. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Prints a text for people: on standard output, or on standard error with `--json`. */
  readonly print: (text: string) => void;
}

/** What a job gives back; with `--json` it is printed as it is. */
export interface JobResult {
  /** False makes the exit code 1. */
  readonly ok: boolean;
}

/** A job. */
export interface Job<Declared extends Declarations> extends JobDescription {
  readonly settings: Declared;
  readonly main: (context: JobContext<Declared>) => Promise<JobResult>;
}

const frameSettings = {
  json: allSettings.json,
  debug: toggle({ flag: "debug", help: "Show the error underneath with its stack; it can hold row values" }),
};

/** Runs a job with the process's arguments, environment and streams, and ends the process. */
export async function runJob<Declared extends Declarations>(job: Job<Declared>): Promise<never> {
  const wanted = Deno.args.includes("--json");
  const frame = { json: wanted, debug: false, redact: redaction([]) };
  // A rejection nobody waits for would otherwise be printed by the runtime, secrets and all.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    Deno.exit(reportError(event.reason, frame));
  });
  try {
    Deno.exit(await runFramed(job, frame));
  } catch (thrown) {
    Deno.exit(reportError(thrown, frame));
  }
}

interface Frame {
  json: boolean;
  debug: boolean;
  redact: Redaction;
}

async function runFramed<Declared extends Declarations>(job: Job<Declared>, frame: Frame): Promise<number> {
  const declared = { ...job.settings, ...frameSettings };
  const { flags, help } = readArguments(Deno.args, declared);
  if (help) {
    write(Deno.stdout, `${helpText(job, declared)}\n`);
    return 0;
  }
  const sources: SettingSources = {
    flags,
    environment: (name) => Deno.env.get(name),
    file: await readEnvironmentFile(".env"),
  };
  frame.redact = redaction(givenSecrets(declared, sources));
  Object.assign(frame, resolveSettings(frameSettings, sources));
  const settings = resolveSettings(job.settings, sources);
  const progress = openProgress(frame.redact);
  using interruption = new Interruption((text) => progress.note(text));
  const print = (text: string) => {
    progress.end();
    write(frame.json ? Deno.stderr : Deno.stdout, `${frame.redact(text)}\n`);
  };
  try {
    const result = await job.main({ settings, signal: interruption.signal, progress, print });
    progress.end();
    if (frame.json) write(Deno.stdout, `${frame.redact(toJson(result))}\n`);
    return result.ok ? 0 : 1;
  } catch (thrown) {
    progress.end();
    const code = reportError(thrown, frame);
    return interruption.exitCode ?? code;
  }
}

function openProgress(redact: Redaction): Progress {
  const rewrite = Deno.stderr.isTerminal() && !Deno.env.get("NO_COLOR");
  const columns = () => rewrite ? Deno.consoleSize().columns : 80;
  return new Progress({ write: (text) => write(Deno.stderr, redact(text)), rewrite, columns });
}

function reportError(thrown: unknown, { json, debug, redact }: Frame): number {
  const error = presentable(explainRefusal(thrown));
  write(Deno.stderr, `${errorText(error, redact)}\n`);
  if (debug) write(Deno.stderr, `${redact(Deno.inspect(thrown))}\n`);
  if (json) write(Deno.stdout, `${toJson({ ok: false, error: errorReport(error, redact) })}\n`);
  return 1;
}

/** 64-bit integers beyond a double's exact range become texts: most readers of JSON would round them. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, part) => {
    if (typeof part !== "bigint") return part;
    return Number.isSafeInteger(Number(part)) ? Number(part) : String(part);
  });
}

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
}
