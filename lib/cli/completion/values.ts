/** What may follow each flag of each job, told once for all flags of which the same is true. */
import type { DeclaredJob } from "../help.ts";
import { flagsOf } from "./completable.ts";

/** The arms of a `case "$job $flag" in`, as bash and zsh both read it; `kind` and `choices` are what they set. */
export function valueArms(jobs: readonly DeclaredJob[]): readonly string[] {
  const arms = new Map<string, string[]>();
  for (const job of jobs) {
    for (const { flag, value } of flagsOf(job)) {
      const words = "words" in value ? ` choices=(${value.words.join(" ")})` : "";
      const arm = `kind=${value.kind}${words}`;
      arms.set(arm, [...arms.get(arm) ?? [], `"${job.name} ${flag}"`]);
    }
  }
  return [...arms].map(([arm, patterns]) => `    ${patterns.join("|")}) ${arm} ;;`);
}
