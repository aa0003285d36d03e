/**
 * The frame of every job: settings in, result and exit code out.
 *
 * Promise: exit code 0 for real success alone; with `--json` exactly one object on standard output, whatever happens; no secret
 * on either stream; the first Ctrl-C, a closed terminal, or a reader that goes away, stops cleanly, the second Ctrl-C at once.
 */
import { settings as allSettings } from "../settings/declarations.ts";
import { choice, toggle } from "../settings/kinds.ts";
import { type Redaction, redaction } from "../settings/redaction.ts";
import { givenSecrets, readEnvironmentFile, resolveSettings, type SettingSources } from "../settings/resolve.ts";
import type { Declarations, SettingValues } from "../settings/setting.ts";
import { readArguments } from "./arguments.ts";
import { errorReport, errorText, presentable } from "./error_text.ts";
import { type DeclaredJob, helpText } from "./help.ts";
import { Interruption } from "./interruption.ts";
import { Output, readerGoneCode } from "./output.ts";
import { explainRefusal } from "./permission.ts";
import type { Progress } from "./progress.ts";
import { jsonLine, JsonProgress } from "./progress_json.ts";
import { ProgressSwitch } from "./progress_switch.ts";
import { TextProgress } from "./progress_text.ts";
import { resultJson } from "./result_json.ts";
import { RunRecord } from "./run_record.ts";
import type { Terminal } from "./screen.ts";
import { taskCommand } from "./task_command.ts";
import { terminalSize } from "./terminal_size.ts";

/** What a job gets. */
export interface JobContext<Declared extends Declarations> {
  readonly settings: SettingValues<Declared>;
  /** The word that stood without a flag, of a job that takes one. */
  readonly operand: string | undefined;
  /** Aborts on Ctrl-C, SIGTERM and a closed output: finish what is running, keep what is committed, return. */
  readonly signal: AbortSignal;
  /** Aborts, and `signal` with it, where nobody is left to be told anything: a closed terminal, a closed output. */
  readonly gone: AbortSignal;
  readonly progress: Progress;
  /** Behind standard error; undefined where there is none, or where programs read that. */
  readonly terminal?: JobTerminal | undefined;
  /** Prints a text for people: on standard output, or on standard error with `--json`. */
  readonly print: (text: string) => void;
  /** Writes rows that were asked for on standard output as they are: not for `--json`, and nothing in them is masked. False: nobody reads. */
  readonly writeRows: (bytes: Uint8Array) => boolean;
  /** The command that runs a job with what the user gave this run for some settings, and with more flags. */
  readonly command: (task: string, flags: { readonly of: Declarations; readonly more?: readonly string[] }) => string;
}

/** A terminal that a job may draw on. */
export interface JobTerminal extends Terminal {
  /** Has a display of the job's own tell its progress, until something else is said or the job ends. */
  readonly handTo: (display: Progress) => void;
}

/** What a job gives back; with `--json` it is printed as it is. */
export interface JobResult {
  /** False makes the exit code 1. */
  readonly ok: boolean;
}

/** A job. */
export interface Job<Declared extends Declarations, Result extends JobResult = JobResult> extends DeclaredJob {
  readonly settings: Declared;
  /** What is done before it ends on Ctrl-C. Default: `after the running commit`. */
  readonly stops?: string;
  readonly main: (context: JobContext<Declared>) => Promise<Result>;
}

/** What every job takes beside its own settings. */
export const frameSettings = {
  json: allSettings.json,
  progress: choice({
    flag: "progress",
    help: "What stands on standard error: text for people, or for programs one JSON object a line",
    defaultText: "text",
    choices: ["text", "json"],
  }),
  debug: toggle({ flag: "debug", help: "Show the error underneath with its stack; it can hold row values" }),
};

/** A job as its file exports it: what it is called and takes can be read without running it. */
export function declareJob<Declared extends Declarations, Result extends JobResult>(
  job: Job<Declared, Result>,
): Job<Declared, Result> {
  return job;
}

/** Runs a job with the process's arguments, environment and streams, and ends the process. */
export async function runJob<Declared extends Declarations>(job: Job<Declared>): Promise<never> {
  const json = Deno.args.includes("--json");
  const progress = /(?:^|\n)--progress[=\n]json(?:\n|$)/.test(Deno.args.join("\n")) ? "json" : "text";
  const frame: Frame = { output: new Output(), json, progress, debug: false, redact: redaction([]) };
  // A rejection nobody waits for would otherwise be printed by the runtime, secrets and all.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    frame.shown?.end();
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
  progress: "text" | "json";
  debug: boolean;
  redact: Redaction;
  /** What tells of the run, once it has begun. */
  shown?: ProgressSwitch;
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
  const progress = frame.shown = new ProgressSwitch(openProgress(frame));
  using interruption = new Interruption((text) => progress.note(text), job.stops ?? "after the running commit");
  const print = (text: string) => {
    progress.end();
    if (frame.json) tell(text, frame);
    else output.out(`${frame.redact(text)}\n`);
  };
  const command: JobContext<Declared>["command"] = (task, { of, more }) => taskCommand(task, { of, sources, more });
  const writeRows = (bytes: Uint8Array) => {
    progress.end();
    output.out(bytes);
    return !output.gone.aborted;
  };
  const gone = AbortSignal.any([interruption.hangUp, output.gone]);
  const signal = AbortSignal.any([interruption.signal, output.gone]);
  const record = frame.record = new RunRecord(job.name);
  try {
    const terminal = openTerminal(frame, progress);
    const result = await job.main({ settings, operand, signal, gone, progress, terminal, print, writeRows, command });
    progress.end();
    if (frame.json) output.out(`${resultJson(result, frame.redact)}\n`);
    record.end(output.gone.aborted ? "stopped" : result.ok ? "ok" : "wrong");
    return output.gone.aborted ? readerGoneCode : result.ok ? 0 : 1;
  } catch (thrown) {
    progress.end();
    if (signal.aborted) record.end("stopped");
    const code = reportError(thrown, frame);
    return interruption.exitCode ?? code;
  }
}

function openProgress({ output, redact, progress }: Frame): Progress {
  if (progress === "json") return new JsonProgress({ write: (line) => output.error(line), redact });
  const rewrite = Deno.stderr.isTerminal() && !Deno.env.get("NO_COLOR");
  const columns = () => rewrite ? terminalSize().columns : 80;
  return new TextProgress({ write: (text) => output.error(redact(text)), rewrite, columns });
}

function openTerminal({ output, redact, progress }: Frame, shown: ProgressSwitch): JobTerminal | undefined {
  if (!Deno.stderr.isTerminal() || progress === "json") return undefined;
  return {
    write: (text) => output.error(redact(text)),
    size: terminalSize,
    isColoured: !Deno.env.get("NO_COLOR"),
    handTo: (display) => shown.handTo(display),
  };
}

/** Says something to people on standard error. */
function tell(text: string, { output, redact, progress }: Frame): void {
  output.error(progress === "json" ? jsonLine({ timeMs: Date.now(), text }, redact) : `${redact(text)}\n`);
}

function reportError(thrown: unknown, frame: Frame): number {
  const { output, json, debug, redact, record } = frame;
  const error = presentable(explainRefusal(thrown));
  record?.end("failed", error.kind);
  tell(errorText(error, redact), frame);
  if (debug) tell(Deno.inspect(thrown), frame);
  if (json) output.out(`${resultJson({ ok: false, error: errorReport(error, redact) }, redact)}\n`);
  return output.gone.aborted ? readerGoneCode : 1;
}
