/**
 * What was asked at the prompt, kept from one time to the next.
 *
 * Promise: only this user can read the file; passwords in connection strings are masked, and what begins with a space is not kept.
 */
import { redaction } from "../../settings/redaction.ts";

const keptEntries = 1000;

/** A file of entries, one a line, the newest last. */
export class PromptHistory {
  readonly #path: string;
  readonly #redact = redaction([]);

  /** @param path Its folder exists. */
  constructor(path: string) {
    this.#path = path;
  }

  /** The newest first, as a prompt takes them. Of a file that has grown, the oldest are forgotten. */
  async entries(): Promise<readonly string[]> {
    const lines = (await Deno.readTextFile(this.#path).catch(nothingYet)).split("\n").filter((line) => line !== "");
    const kept = lines.slice(-keptEntries);
    if (lines.length > 2 * keptEntries) await this.#write(kept, { append: false });
    return kept.toReversed();
  }

  /** Keeps a statement or command. */
  async add(entry: string): Promise<void> {
    if (/^\s/.test(entry) || entry === "") return;
    const lines = this.#redact(entry).split("\n").filter((line) => line !== "");
    // A comment would take in what stood on the next line.
    await this.#write(entry.includes("--") ? lines : [lines.join(" ")], { append: true });
  }

  async #write(lines: readonly string[], options: { readonly append: boolean }): Promise<void> {
    await Deno.writeTextFile(this.#path, lines.map((line) => `${line}\n`).join(""), { ...options, mode: 0o600 });
  }
}

function nothingYet(thrown: unknown): string {
  if (thrown instanceof Deno.errors.NotFound) return "";
  throw thrown;
}
