/** What a shell can complete of a command line: the tasks, and the flags and values of those that are jobs. */
import type { Setting } from "../../settings/setting.ts";
import type { DeclaredJob } from "../help.ts";

/** What can be completed. */
export interface Completable {
  /** With all that they take. */
  readonly jobs: readonly DeclaredJob[];
  /** All tasks, the jobs among them. */
  readonly tasks: readonly { readonly name: string; readonly description: string }[];
}

/** A flag, with its dashes. */
export interface CompletableFlag {
  readonly flag: string;
  readonly help: string;
  readonly value: CompletableValue;
}

/** What may follow a flag. */
export type CompletableValue =
  | { readonly kind: "none" | "path" | "text" }
  | { readonly kind: "words" | "list"; readonly words: readonly string[] };

/** The flags of a job, `--help` among them. */
export function flagsOf({ settings }: DeclaredJob): readonly CompletableFlag[] {
  const flags = Object.values(settings).flatMap((setting): CompletableFlag[] => {
    const { flag, help } = setting;
    return flag === undefined ? [] : [{ flag: `--${flag}`, help, value: valueOf(setting) }];
  });
  return [...flags, { flag: "--help", help: "Show every flag", value: { kind: "none" } }];
}

/** Placeholders of what lies on a disk; of a model and a lake's place that is so most of the time. */
const pathPlaceholders = ["FILE", "FOLDER", "PLACE", "MODEL"];

function valueOf({ placeholder, choices }: Setting<unknown>): CompletableValue {
  if (choices !== undefined) return { kind: choices.several ? "list" : "words", words: choices.words };
  if (placeholder === undefined) return { kind: "none" };
  return { kind: pathPlaceholders.includes(placeholder) ? "path" : "text" };
}

/** What stands in the folder where this project's tasks are run. */
export const projectMark = "jobs/jobs.ts";
