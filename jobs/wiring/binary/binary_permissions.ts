/** What a binary may do: what its job's task may, in whatever folder it is started. */
import type { PermissionSet } from "../../../lib/cli/project_file.ts";

/** What a user adds to that. */
export interface MorePermissions {
  readonly hosts: readonly string[];
  /** Read and written. */
  readonly folders: readonly string[];
}

/** The program itself, which a binary brings along and may read. */
const ownPaths = ["./lib", "./jobs", "./node_modules"];

/**
 * The flags that grant it. `-P` would make the folders of a set those of the machine that compiles. Native add-ons lie where a
 * binary unpacks itself, which nobody knows beforehand: it may load any.
 *
 * @example
 * ```ts
 * import { permissionFlags } from "./binary_permissions.ts";
 * import assert from "node:assert/strict";
 *
 * const set = { read: ["./data", "./lib"], net: ["127.0.0.1"], ffi: ["./node_modules"] };
 * assert.deepEqual(permissionFlags(set, { hosts: ["db:5432"], folders: ["/lake"] }), [
 *   "--allow-read=./data,/lake",
 *   "--allow-net=127.0.0.1,db:5432",
 *   "--allow-ffi",
 *   "--allow-write=/lake",
 * ]);
 * ```
 */
export function permissionFlags(set: PermissionSet, { hosts, folders }: MorePermissions): readonly string[] {
  const more: PermissionSet = { read: folders, write: folders, net: hosts };
  const kinds = new Set([...Object.keys(set), ...Object.keys(more)] as (keyof PermissionSet)[]);
  return [...kinds].flatMap((kind) => {
    const values = [...(set[kind] ?? []).filter((value) => !ownPaths.includes(value)), ...more[kind] ?? []];
    if (kind === "ffi") return ["--allow-ffi"];
    return values.length === 0 ? [] : [`--allow-${kind}=${values.join(",")}`];
  });
}
