/**
 * The frame of every job: settings in, result and exit code out.
 *
 * Promise: exit code 0 for real success alone; with `--json` exactly one object on standard output, whatever happens; no secret
 * on either stream; the first Ctrl-C, or a reader that goes away, stops cleanly, the second Ctrl-C at once.
 */
import { settings as allSettings } from "../settings/declarations.ts";
import { toggle } from "../settings/kinds.ts";
import { type Redaction, redaction } from "../settings/redaction.ts";
import {
  givenFlags,
  givenSecrets,
  readEnvironmentFile,
  resolveSettings,
  type SettingSources,
} from "../settings/resolve.ts";
import type { Declarations, SettingValues } from "../settings/setting.ts";
import { readArguments } from "./arguments.ts";
import { errorReport, errorText, presentable } from "./error_text.ts";
import { type DeclaredJob, helpText } from "./help.ts";
import { Interruption } from "./interruption.ts";
import { Output, readerGoneCode } from "./output.ts";
import { explainRefusal, shellWord } from "./permission.ts";
import { Progress } from "./progress.ts";
import type { Terminal } from "./screen.ts";
import { RunRecord } from "./run_record.ts";
import { startOf } from "./start.ts";

/** What a job gets. */
export interface JobContext<Declared extends Declarations> {
  readonly settings: SettingValues<Declared>;
  /** The word that stood without a flag, of a job that takes one. */
  readonly operand: string | undefined;
  /** Aborts on Ctrl-C, SIGTERM and a closed output: finish what is running, keep what is committed, return. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Behind standard error; undefined where that is none. */
  readonly terminal: Terminal | undefined;
  /** Prints a text for people: on standard output, or on standard error with `--json`. */
  readonly print: (text: string) => void;
  /** Writes rows that were asked for on standard output as they are: not for `--json`, and nothing in them is masked. False: nobody reads. */
  readonly writeRows: (bytes: Uint8Array) => boolean;
  /** The command that runs a job with what the user gave this run for some settings, and with more flags. */
  readonly command: (task: string, flags: { readonly of: Declarations; readonly more?: readonly string[] }) => string;
}

/** What a job gives back; with `--json` it is printed as it is. */
export interface JobResult {
  /** False makes the exit code 1. */
  readonly ok: boolean;
}

/** A job. */
export interface Job<Declared extends Declarations> extends DeclaredJob {
  readonly settings: Declared;
  /** What is done before it ends on Ctrl-C. Default: `after the running commit`. */
  readonly stops?: string;
  readonly main: (context: JobContext<Declared>) => Promise<JobResult>;
}

/** What every job takes beside its own settings. */
export const frameSettings = {
  json: allSettings.json,
  debug: toggle({ flag: "debug", help: "Show the error underneath with its stack; it can hold row values" }),
};

/** A job as its file exports it: what it is called and takes can be read without running it. */
export function declareJob<Declared extends Declarations>(job: Job<Declared>): Job<Declared> {
  return job;
}

/** Runs a job with the process's arguments, environment and streams, and ends the process. */
export async function runJob<Declared extends Declarations>(job: Job<Declared>): Promise<never> {
  const wanted = Deno.args.includes("--json");
  const frame: Frame = { output: new Output(), json: wanted, debug: false, redact: redaction([]) };
  // A rejection nobody waits for would otherwise be printed by the runtime, secrets and all.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    frame.progress?.end();
    Deno.exit(reportError(event.reason, frame));
  });
  try {
    Deno.exit(await runFramed(job, frame));
  } catch (thrown) {
    Deno.exit(reportError(thrown, frame));
  }
}

interface Frame {
  readonly output: Output;
  json: boolean;
  debug: boolean;
  redact: Redaction;
  progress?: Progress;
  /** Of the run, once it has begun. */
  record?: RunRecord;
}

async function runFramed<Declared extends Declarations>(job: Job<Declared>, frame: Frame): Promise<number> {
  const { output } = frame;
  const declared = { ...job.settings, ...frameSettings };
  const { flags, operand, help } = readArguments(Deno.args, declared, job.operand);
  if (help) {
    output.out(`${helpText(job, declared)}\n`);
    return output.gone.aborted ? readerGoneCode : 0;
  }
  const sources: SettingSources = {
    flags,
    environment: (name) => Deno.env.get(name),
    file: await readEnvironmentFile(".env"),
  };
  frame.redact = redaction(givenSecrets(declared, sources));
  Object.assign(frame, resolveSettings(frameSettings, sources));
  const settings = resolveSettings(job.settings, sources);
  const progress = frame.progress = openProgress(frame);
  using interruption = new Interruption((text) => progress.note(text), job.stops ?? "after the running commit");
  const print = (text: string) => {
    progress.end();
    const line = `${frame.redact(text)}\n`;
    if (frame.json) output.error(line);
    else output.out(line);
  };
  const command: JobContext<Declared>["command"] = (task, { of, more = [] }) =>
    [startOf(task), ...[...givenFlags(of, sources), ...more].map(shellWord)].join(" ");
  const writeRows = (bytes: Uint8Array) => {
    progress.end();
    output.out(bytes);
    return !output.gone.aborted;
  };
  const signal = AbortSignal.any([interruption.signal, output.gone]);
  const record = frame.record = new RunRecord(job.name);
  try {
    const terminal = openTerminal(frame);
    const result = await job.main({ settings, operand, signal, progress, terminal, print, writeRows, command });
    progress.end();
    if (frame.json) output.out(`${frame.redact(toJson(result))}\n`);
    record.end(output.gone.aborted ? "stopped" : result.ok ? "ok" : "wrong");
    return output.gone.aborted ? readerGoneCode : result.ok ? 0 : 1;
  } catch (thrown) {
    progress.end();
    if (signal.aborted) record.end("stopped");
    const code = reportError(thrown, frame);
    return interruption.exitCode ?? code;
  }
}

function openProgress({ output, redact }: Frame): Progress {
  const rewrite = Deno.stderr.isTerminal() && !Deno.env.get("NO_COLOR");
  const columns = () => rewrite ? Deno.consoleSize().columns || 80 : 80;
  return new Progress({ write: (text) => output.error(redact(text)), rewrite, columns });
}

function openTerminal({ output, redact }: Frame): Terminal | undefined {
  if (!Deno.stderr.isTerminal()) return undefined;
  const isColoured = !Deno.env.get("NO_COLOR");
  const size = () => {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || 80, rows: rows || 24 };
  };
  return { write: (text) => output.error(redact(text)), size, isColoured };
}

function reportError(thrown: unknown, { output, json, debug, redact, record }: Frame): number {
  const error = presentable(explainRefusal(thrown));
  record?.end("failed", error.kind);
  output.error(`${errorText(error, redact)}\n`);
  if (debug) output.error(`${redact(Deno.inspect(thrown))}\n`);
  if (json) output.out(`${toJson({ ok: false, error: errorReport(error, redact) })}\n`);
  return output.gone.aborted ? readerGoneCode : 1;
}

/** 64-bit integers beyond a double's exact range become texts: most readers of JSON would round them. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_, part) => {
    if (typeof part !== "bigint") return part;
    return Number.isSafeInteger(Number(part)) ? Number(part) : String(part);
  });
}
