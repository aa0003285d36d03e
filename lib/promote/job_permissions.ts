/** What a promoted job may do: what every job needs, and what the parts of `lib/mod.ts` that it uses need beside that. */

/** A permission set as `deno.json` has it; true is all of a kind. */
export type PermissionSet = Readonly<Record<string, true | readonly string[]>>;

type LeastSet = Readonly<Record<string, readonly string[]>>;

/** Settings, the run's record, and files below the folder of results. */
const everyJob: LeastSet = {
  read: ["./data", "./lib", "./jobs", "./node_modules", "./deno.json", "./.env"],
  write: ["./data/state", "./data/results"],
  env: ["WEIR_*", "NO_COLOR"],
  ffi: ["./node_modules"],
};

/** A server or a store of this machine; others are named by who uses them. */
const thisMachine = ["127.0.0.1", "localhost"];

const byName: Readonly<Record<string, LeastSet>> = {
  openLake: { net: thisMachine, env: ["AWS_*", "ICEBERG_REST_*"] },
  RestCatalog: { net: thisMachine, env: ["ICEBERG_REST_*"] },
  openSource: { net: thisMachine, env: ["POSTGRES_URL", "PG*"] },
  createEmbedder: { env: ["HF_ENDPOINT", "HF_TOKEN"] },
};

/** The order in which `deno.json` names kinds. */
const kinds = ["read", "write", "net", "env", "sys", "run", "ffi"];

/**
 * The least set for a module, and whatever else an earlier set grants: somebody may have added to it.
 *
 * @example
 * ```ts
 * import { jobPermissions } from "./job_permissions.ts";
 * import assert from "node:assert/strict";
 *
 * assert.equal(jobPermissions("export const job = …").net, undefined);
 * assert.deepEqual(jobPermissions("await openLake()").net, ["127.0.0.1", "localhost"]);
 * assert.equal(jobPermissions("await openLake()", { net: true }).net, true);
 * ```
 */
export function jobPermissions(text: string, earlier: PermissionSet = {}): PermissionSet {
  const used = Object.entries(byName).filter(([name]) => new RegExp(`\\b${name}\\b`).test(text));
  const least = [everyJob, ...used.map(([, set]) => set)];
  const granted = (kind: string): true | readonly string[] => {
    const before = earlier[kind] ?? [];
    return before === true ? true : [...new Set([...before, ...least.flatMap((set) => set[kind] ?? [])])];
  };
  const all = [...new Set([...kinds, ...Object.keys(earlier)])].map((kind) => [kind, granted(kind)] as const);
  return Object.fromEntries(all.filter(([, values]) => values === true || values.length > 0));
}
