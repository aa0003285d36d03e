/** Every job with its settings and its last run; completion of them all for a shell. */
import { completionScript, shells } from "../lib/cli/completion/script.ts";
import type { DeclaredJob } from "../lib/cli/help.ts";
import { declareJob, runJob } from "../lib/cli/run_job.ts";
import { printedColumns } from "../lib/cli/terminal_size.ts";
import { WeirError } from "../lib/errors.ts";
import { choice, choices } from "../lib/settings/kinds.ts";
import { allJobs } from "./wiring/all_jobs.ts";
import { jobListing, jobsText, jobText, takenSettings } from "./wiring/job_listing.ts";
import { ownJobs, ownTasks } from "./wiring/own_jobs.ts";
import { readTasks } from "./wiring/tasks.ts";

const names = [...allJobs, ...ownTasks([...allJobs, { name: "jobs" }])].map(({ name }) => name);

export const job = declareJob({
  name: "jobs",
  summary: "List every job with its last run, and with its settings; or print what completes them in a shell",
  stops: "at once",
  settings: {
    job: {
      ...choices({
        flag: "job",
        help: "Show every setting of these jobs, or of all",
        defaultText: "none",
        choices: ["none", "all", ...names],
      }),
      placeholder: "NAME,…",
    },
    completion: choice({
      flag: "completion",
      help: "Print a script that completes tasks, flags and choices: source <(deno task jobs --completion bash)",
      choices: shells,
    }),
  },
  main: async ({ settings, print, progress }) => {
    const jobs = [...everyJob(), ...await ownJobs(everyJob(), (text) => progress.note(text))];
    if (settings.completion !== undefined) {
      requireTasks();
      const taken = jobs.map((job) => ({ ...job, settings: takenSettings(job) }));
      const script = completionScript(settings.completion, { jobs: taken, tasks: readTasks() });
      print(script);
      return { ok: true, script };
    }
    const wanted = jobs.filter(({ name }) => settings.job.includes("all") || settings.job.includes(name));
    if (wanted.length > 0) {
      const listing = jobListing(wanted);
      print(listing.jobs.map((listed) => jobText(listed, printedColumns())).join("\n\n"));
      return listing;
    }
    const listing = jobListing(jobs);
    print(
      `${
        jobsText(listing, printedColumns())
      }\n\ndeno task jobs --job NAME shows a job's settings; every job has --help.`,
    );
    return listing;
  },
});

/** A binary runs where there are no tasks that could be completed. */
function requireTasks(): void {
  if (!Deno.build.standalone) return;
  throw new WeirError("configuration", "Tasks are completed where the project is, and this is a binary", {
    advice: "Run deno task jobs --completion in the project's folder",
  });
}

/** All jobs that come with Weir, as they are declared. */
export function everyJob(): readonly DeclaredJob[] {
  return [...allJobs, job];
}

if (import.meta.main) await runJob(job);
