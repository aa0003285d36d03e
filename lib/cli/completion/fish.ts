/** Completion for fish, beside whatever else completes `deno` there. */
import { type Completable, type CompletableFlag, flagsOf, projectMark } from "./completable.ts";

/** The script. */
export function fishScript({ jobs, tasks }: Completable): string {
  const taskLines = tasks.map(({ name, description }) =>
    `complete -c deno -n __weir_at_task -f -a ${quoted(name)} -d ${quoted(description)}`
  );
  const flagLines = jobs.flatMap((job) => flagsOf(job).map((flag) => flagLine(job.name, flag)));
  return `# Completes the tasks of Weir. Load it with: deno task jobs --completion fish | source
function __weir_at_task
    set -l parts (commandline -opc)
    test (count $parts) -eq 2; and test $parts[2] = task; and test -f ${projectMark}
end

function __weir_in
    set -l parts (commandline -opc)
    test (count $parts) -ge 3; and test $parts[2] = task; and test $parts[3] = $argv[1]; and test -f ${projectMark}
end

${taskLines.join("\n")}
${flagLines.join("\n")}`;
}

function flagLine(job: string, { flag, help, value }: CompletableFlag): string {
  const start = `complete -c deno -n ${quoted(`__weir_in ${job}`)} -l ${flag.slice(2)} -d ${quoted(help)}`;
  switch (value.kind) {
    case "none":
      return `${start} -f`;
    case "text":
      return `${start} -x`;
    case "path":
      return `${start} -r -F`;
    case "words":
      return `${start} -x -a ${quoted(value.words.join(" "))}`;
    case "list":
      return `${start} -x -a ${quoted(`(__fish_append , ${value.words.join(" ")})`)}`;
  }
}

/** Between single quotes fish reads a backslash as one. */
function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
