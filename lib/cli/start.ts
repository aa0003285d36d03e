/** How a job is started: as a task of the project, or as the binary that it was compiled to. */

/** The file that a job is compiled to. */
export function binaryName(job: string): string {
  return `weir-${job.replaceAll(":", "-")}`;
}

/** The words that start a job, to be shown: binaries speak of each other, tasks of tasks. */
export function startOf(job: string): string {
  return Deno.build.standalone ? binaryName(job) : `deno task ${job}`;
}
