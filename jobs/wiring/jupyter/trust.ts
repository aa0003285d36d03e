/**
 * Which notebooks JupyterLab shows with their charts before they are run: it draws nothing of a notebook that nobody has signed.
 * Those that come with the project are signed, for this project alone; one from elsewhere is the user's to trust.
 */
import { resolve } from "node:path";

/** Those that come with the project are numbered. */
const ours = /^\d\d_\w+\.ipynb$/;

/** Where signatures are kept, as flags of Jupyter's programs; not with those of the user's other notebooks. */
export function signatureFlags(folder: string): readonly string[] {
  const [database, secret] = ["signatures.db", "signatures.key"].map((name) => resolve(folder, name));
  return [`--NotebookNotary.db_file=${database}`, `--NotebookNotary.secret_file=${secret}`];
}

/** What is signed, and with which Jupyter. */
export interface SignOptions {
  /** Jupyter's program. */
  readonly command: string;
  /** Folder of the notebooks. */
  readonly notebooks: string;
  /** Flags of {@linkcode signatureFlags}. */
  readonly flags: readonly string[];
}

/** Signs the project's notebooks as they are now. Where that fails, their charts are seen once they are run. */
export async function signNotebooks({ command, notebooks, flags }: SignOptions): Promise<void> {
  const names = [...Deno.readDirSync(notebooks)].map(({ name }) => name).filter((name) => ours.test(name));
  if (names.length === 0) return;
  const args = ["trust", ...flags, ...names];
  const streams = { stdin: "null", stdout: "null", stderr: "null" } as const;
  await new Deno.Command(command, { args, cwd: notebooks, ...streams }).output().catch(() => {});
}
