/** What a check of the environment finds: whether it will do, and what to do where it will not. */
import { presentable } from "../../../lib/cli/error_text.ts";
import { explainRefusal } from "../../../lib/cli/permission.ts";

/** What a finding amounts to: `note` stops nothing that is asked for by default. */
export type Verdict = "ok" | "note" | "wrong";

/** One line. */
export interface Finding {
  readonly verdict: Verdict;
  /** What was looked at, such as `lake`. */
  readonly what: string;
  readonly says: string;
  readonly remedy?: string;
}

/** One look, which may find several things. What it throws is a finding too. */
export interface Check {
  readonly what: string;
  readonly look: () => Promise<readonly Finding[]>;
}

/** Looks; never throws. */
export async function examine({ what, look }: Check): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (thrown) {
    const { message, advice } = presentable(explainRefusal(thrown));
    return [{ verdict: "wrong", what, says: message, remedy: advice }];
  }
}

/** What is as it should be. */
export function ok(what: string, says: string): Finding {
  return { verdict: "ok", what, says };
}

/** The lines of a finding. */
export function findingText({ verdict, what, says, remedy }: Finding): string {
  const line = `${verdict.padEnd(5)}  ${what.padEnd(12)}  ${says.replaceAll("\n", `\n${" ".repeat(21)}`)}`;
  return remedy === undefined ? line : `${line}\n${" ".repeat(21)}${remedy}`;
}
