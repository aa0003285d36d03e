/** JupyterLab as a process of its own, over the folder `notebooks`. */
import { delimiter, resolve } from "node:path";
import { writeKernelSpec } from "./kernel_spec.ts";
import { jupyterFolder, type JupyterProgram } from "./jupyter_program.ts";
import { signatureFlags, signNotebooks } from "./trust.ts";

/** How it runs. */
export interface LabOptions {
  /** If something listens there it takes one of the next. */
  readonly port: number;
  /** Whether it opens a browser. */
  readonly browser: boolean;
  /** Ends it, with its kernels. */
  readonly signal: AbortSignal;
}

const notebooks = "notebooks";

/** Runs it until it ends or the signal is aborted; its exit code. It listens on this machine alone, and asks for its token. */
export async function runLab({ command }: JupyterProgram, options: LabOptions): Promise<number> {
  await writeKernelSpec(jupyterFolder);
  const flags = signatureFlags(jupyterFolder);
  const signed = signNotebooks({ command, notebooks, flags });
  const known = Deno.env.get("JUPYTER_PATH");
  const child = new Deno.Command(command, {
    args: ["lab", ...labFlags(options), ...flags],
    cwd: notebooks,
    env: { JUPYTER_PATH: [resolve(jupyterFolder), ...known ? [known] : []].join(delimiter) },
    // Ctrl-C comes to it as one SIGTERM: a SIGINT from the terminal before that would make it leave its kernels behind.
    detached: true,
    stdin: "null",
    stdout: "null",
  }).spawn();
  const stop = () => child.kill("SIGTERM");
  options.signal.addEventListener("abort", stop);
  // A second Ctrl-C.
  globalThis.addEventListener("unload", stop);
  const { code } = await child.status;
  options.signal.removeEventListener("abort", stop);
  globalThis.removeEventListener("unload", stop);
  await signed;
  return code;
}

function labFlags({ port, browser }: LabOptions): readonly string[] {
  const flags = ["--ip=127.0.0.1", `--port=${port}`, "--ServerApp.root_dir=."];
  for (const application of ["ServerApp", "LabApp"]) flags.push(`--${application}.log_level=WARN`);
  if (!browser) flags.push("--no-browser");
  // Without, it refuses the administrator, who is the only user of many a container.
  if (Deno.build.os !== "windows" && Deno.uid() === 0) flags.push("--allow-root");
  return flags;
}
