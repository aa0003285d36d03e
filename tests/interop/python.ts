/** Python scripts of this folder that answer one request after another: importing a reader takes longer than most readings. */
import { fileURLToPath } from "node:url";
import { AnsweringProcess } from "./answering_process.ts";

/** A request to a script. */
export interface PythonRequest {
  readonly script: string;
  readonly args: readonly string[];
  /** Whether with the older pypaimon. Default false. */
  readonly older?: boolean;
}

/** A Python whose scripts are started when they are first asked and end with it. */
export class Python implements AsyncDisposable {
  readonly #options: { readonly program: string; readonly olderFolder: string };
  readonly #processes = new Map<string, AnsweringProcess>();

  /** @param options.olderFolder Where the older pypaimon stands before the newer one. */
  constructor(options: { readonly program: string; readonly olderFolder: string }) {
    this.#options = options;
  }

  /**
   * Asks a script.
   *
   * @throws {Error} With the script's own words, where it fails.
   */
  async run<T>({ script, args, older = false }: PythonRequest): Promise<T> {
    const name = `${script} ${older}`;
    let process = this.#processes.get(name);
    if (process === undefined) {
      const { program: command, olderFolder } = this.#options;
      const path = fileURLToPath(new URL(script, import.meta.url));
      // What stands beside the scripts stays as the repository has it.
      const env = { PYTHONDONTWRITEBYTECODE: "1", ...(older ? { PYTHONPATH: olderFolder } : {}) };
      process = new AnsweringProcess({ name: script, command, args: [path], env });
      this.#processes.set(name, process);
    }
    return await process.ask(args) as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes.values()) await process.close();
  }
}
