/** What came of a job that was tried. */
import { resultJson } from "../cli/result_json.ts";
import type { JobResult } from "../cli/run_job.ts";
import type { Redaction } from "../settings/redaction.ts";
import { escaped } from "../notebook/html_text.ts";
import { display, type Displayed, type MediaBundle } from "../notebook/table_display.ts";

const mostCharacters = 2000;

/** Shown in a notebook as the command and the result. */
export class JobTrial<Result extends JobResult> implements Displayed {
  /** What the job gave back. */
  readonly result: Result;
  /** What does the same in a terminal, once the job is promoted. */
  readonly command: string;

  readonly #redact: Redaction;

  /** @param redact Takes the secrets out of what is shown. */
  constructor(result: Result, command: string, redact: Redaction) {
    this.result = result;
    this.command = command;
    this.#redact = redact;
  }

  [display](): MediaBundle {
    const result = shortened(resultJson(this.result, this.#redact, 2));
    return {
      "text/html": `<div><code>${escaped(this.command)}</code></div><pre style="font-family:monospace">${
        escaped(result)
      }</pre>`,
      "text/plain": `${this.command}\n${result}`,
    };
  }
}

function shortened(text: string): string {
  return text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters)}\n…`;
}
