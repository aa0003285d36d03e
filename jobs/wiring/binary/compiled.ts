/** Jobs compiled: each laid out in a folder of its own, and packed into a binary by `deno compile`. */
import { join, resolve } from "node:path";
import { binaryName } from "../../../lib/cli/start.ts";
import { absent } from "../../../lib/embedded/absent.ts";
import { WeirError } from "../../../lib/errors.ts";
import { stateFolder } from "../../../lib/settings/state_folder.ts";
import { deno } from "../deno_command.ts";
import { type MorePermissions, permissionFlags } from "./binary_permissions.ts";
import type { JobProgram } from "./job_program.ts";
import { layOutProgram, type ProgramSize } from "./laid_out.ts";

/** A binary, or what one would be. */
export interface Binary extends ProgramSize {
  readonly job: string;
  /** Null where it was not made. */
  readonly path: string | null;
  /** Of the binary: what it holds, and the runtime. Null where it was not made. */
  readonly bytes: number | null;
}

/** Where programs are laid out to be packed. Disposing removes it. */
export class Packing implements AsyncDisposable {
  readonly #folder = resolve(stateFolder, "compile", String(Deno.pid));

  /** Compiles a job into a folder. Throws `precondition` where Deno's base of binaries cannot be had. */
  async compile(
    program: JobProgram,
    { out, more }: { readonly out: string; readonly more: MorePermissions },
  ): Promise<Binary> {
    const name = binaryName(program.name);
    const path = join(resolve(out), Deno.build.os === "windows" ? `${name}.exe` : name);
    await Deno.mkdir(out, { recursive: true });
    const size = await layOutProgram(program.script, this.#folder);
    await packProgram(program, { folder: this.#folder, path, more });
    return { job: program.name, ...size, path, bytes: (await Deno.stat(path)).size };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true }).catch(absent);
  }
}

/** Packs a program that is laid out in a folder. */
export async function packProgram(
  { script, runtimeFlags, permissions }: JobProgram,
  { folder, path, more }: { readonly folder: string; readonly path: string; readonly more: MorePermissions },
): Promise<void> {
  const folders = [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  const included = folders.filter((name) => name !== "node_modules").flatMap((name) => ["--include", name]);
  const flags = ["--quiet", "--no-check", "--no-prompt", "--self-extracting", ...runtimeFlags];
  const args = ["compile", ...flags, ...permissionFlags(permissions, more), ...included, "--output", path, script];
  const { ok, report } = await deno(args, { cwd: folder });
  if (!ok) throw refusal(report, script);
}

function refusal(said: string, script: string): WeirError {
  const cause = new Error(said);
  if (!/denort|base binary/i.test(said)) {
    return new WeirError("internal", `deno compile refuses ${script}`, { cause });
  }
  return new WeirError(
    "precondition",
    "Deno's base of binaries cannot be had: it is downloaded once, and that failed",
    {
      cause,
      advice:
        `Run this once where ${baseUrl} can be reached; or download that elsewhere, unpack it here, and set DENORT_BIN ` +
        "to the path of the denort in it",
    },
  );
}

/** What Deno downloads. */
const baseUrl = `https://dl.deno.land/release/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;
