/** Every job with its settings and its last run, for people and for `--json`. */
import { formatSeconds } from "../../lib/cli/format.ts";
import type { DeclaredJob } from "../../lib/cli/help.ts";
import { frameSettings, type JobResult } from "../../lib/cli/run_job.ts";
import { type LastRun, lastRun } from "../../lib/cli/run_record.ts";
import { renderWithSentences } from "../../lib/cli/fitted_table.ts";
import type { Declarations, Setting } from "../../lib/settings/setting.ts";

/** One setting of a job, as `--json` prints it. What does not hold of it is left out. */
export interface ListedSetting {
  /** With its dashes. */
  readonly flag?: string;
  readonly environment: string;
  readonly otherEnvironment?: string;
  readonly help: string;
  /** What a value looks like; a switch has none. */
  readonly value?: string;
  readonly choices?: readonly string[];
  /** As text. */
  readonly default?: string;
  /** Whether it is given by the environment alone and never shown. */
  readonly secret: boolean;
}

/** One job, likewise. */
export interface ListedJob {
  readonly name: string;
  readonly summary: string;
  readonly settings: readonly ListedSetting[];
  /** Null where none is known of. */
  readonly lastRun: LastRun | null;
}

/** What `deno task jobs --json` prints. */
export interface JobListing extends JobResult {
  readonly jobs: readonly ListedJob[];
}

/** All that a job takes: its own settings, and those of every job. */
export function takenSettings(job: DeclaredJob): Declarations {
  return { ...job.settings, ...frameSettings };
}

/** What is known of these jobs. */
export function jobListing(jobs: readonly DeclaredJob[]): JobListing {
  const listed = jobs.map((job): ListedJob => ({
    name: job.name,
    summary: job.summary,
    settings: Object.values(takenSettings(job)).map(listedSetting),
    lastRun: lastRun(job.name) ?? null,
  }));
  return { ok: true, jobs: listed };
}

function listedSetting(setting: Setting<unknown>): ListedSetting {
  const { flag, environment, otherEnvironment, help, placeholder, choices, defaultText, secret } = setting;
  return {
    ...flag === undefined ? {} : { flag: `--${flag}` },
    environment,
    ...otherEnvironment === undefined ? {} : { otherEnvironment },
    help,
    ...placeholder === undefined ? {} : { value: placeholder },
    ...choices === undefined ? {} : { choices: choices.words },
    ...defaultText === undefined ? {} : { default: defaultText },
    secret,
  };
}

/** A line for each job; where so many cells are too few for that, its sentence stands below it. */
export function jobsText({ jobs }: JobListing, cells?: number): string {
  const columns = [{ title: "deno task" }, { title: "last run" }, { title: "started (UTC)" }, {
    title: "what it does",
  }];
  const rows = jobs.map(({ name, summary, lastRun }) => [name, ...runCells(lastRun), summary]);
  return renderWithSentences(columns, rows, cells);
}

function runCells(run: LastRun | null): readonly [how: string, when: string] {
  if (run === null) return ["–", ""];
  const { outcome, error, seconds } = run;
  const why = error === undefined ? "" : ` (${error})`;
  const took = seconds === undefined ? "" : `, ${formatSeconds(seconds)}`;
  return [`${outcome}${why}${took}`, run.startedAt.slice(0, 19).replace("T", " ")];
}

/** A job with all of its settings, likewise. */
export function jobText({ name, summary, settings, lastRun }: ListedJob, cells?: number): string {
  const [how, when] = runCells(lastRun);
  const columns = [{ title: "flag" }, { title: "environment" }, { title: "default" }, { title: "meaning" }];
  const rows = settings.map(({ flag = "", value = "", environment, otherEnvironment, ...setting }) => [
    flag,
    otherEnvironment === undefined ? environment : `${environment}, ${otherEnvironment}`,
    value === "" ? "off" : setting.default ?? "",
    setting.help,
  ]);
  const head = `deno task ${name}: ${summary}\nlast run: ${`${how} ${when}`.trim()}`;
  return `${head}\n\n${renderWithSentences(columns, rows, cells)}`;
}
