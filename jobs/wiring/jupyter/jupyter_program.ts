/** Where JupyterLab is on this machine: in the environment that the advice makes, or on the path. */
import { join, resolve } from "node:path";
import { stateFolder } from "../../../lib/settings/state_folder.ts";

/** Folder of what belongs to Jupyter: the kernel that it is shown, and the environment where one was made. */
export const jupyterFolder = join(stateFolder, "jupyter");

const environment = join(jupyterFolder, "venv");
const programs = join(environment, Deno.build.os === "windows" ? "Scripts" : "bin");

/** The commands that bring it. */
export const installCommands = `python3 -m venv ${environment} && ${join(programs, "pip")} install jupyterlab`;

/** A JupyterLab that starts. */
export interface JupyterProgram {
  /** Absolute, or a name on the path. */
  readonly command: string;
  /** Of JupyterLab, such as `4.4.1`. */
  readonly version: string;
}

/** The first one that starts, if there is one. */
export async function findJupyter(): Promise<JupyterProgram | undefined> {
  for (const command of [resolve(programs, "jupyter"), "jupyter"]) {
    const version = await labVersion(command);
    if (version !== undefined) return { command, version };
  }
}

/** Jupyter is also there without its lab, where something else brought it. */
async function labVersion(command: string): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args: ["lab", "--version"], stdin: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    // Of a program that is not there the permission to start it says nothing.
    return undefined;
  }
}
