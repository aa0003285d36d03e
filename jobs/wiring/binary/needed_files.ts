/** Which files of a package a program needs on this machine. */

/** What packages are built for. */
export interface Machine {
  /** As Node calls it: `linux`, `darwin`, `win32`. */
  readonly system: string;
  readonly architecture: string;
  readonly libc: "glibc" | "musl";
}

/** The one that this runs on. */
export const thisMachine: Machine = {
  system: Deno.build.os === "windows" ? "win32" : Deno.build.os,
  architecture: Deno.build.arch === "aarch64" ? "arm64" : "x64",
  libc: Deno.build.target.includes("musl") ? "musl" : "glibc",
};

/** Only compilers, debuggers and browsers read these. */
const neverRead = /\.(?:map|d\.[cm]?ts)$|(?:^|\/)onnxruntime-web\/.*\.wasm$/;

/**
 * Whether a file may be read on a machine. Packages with programs for several machines keep each in a folder of its name.
 *
 * @param path Of the file, from `node_modules`.
 *
 * @example
 * ```ts
 * import { isNeeded } from "./needed_files.ts";
 * import assert from "node:assert/strict";
 *
 * const machine = { system: "linux", architecture: "x64", libc: "glibc" } as const;
 * const needed = (path: string) => isNeeded(path, machine);
 * assert.ok(needed("a/prebuilds/linux-x64/a.node") && needed("b/bin/linux/x64/b.so") && needed("c/src/linux.js"));
 * assert.ok(!needed("a/prebuilds/linux-arm64/a.node") && !needed("a/prebuilds/darwin-arm64+x64/a.node"));
 * assert.ok(!needed("b/bin/linux/arm64/b.so") && !needed("b/bin/win32/x64/b.dll") && !needed("c/index.js.map"));
 * ```
 */
export function isNeeded(path: string, machine: Machine = thisMachine): boolean {
  if (neverRead.test(path)) return false;
  const folders = path.split("/").slice(0, -1);
  return folders.every((folder, place) => {
    const [, system, suffix] = /^(linux|darwin|win32|android|freebsd)(?:-(.+))?$/.exec(folder) ?? [];
    if (system === undefined) return true;
    const architectures = suffix?.split("+") ?? [folders[place + 1] ?? ""];
    const isOther = architectures.every((name) =>
      /^(?:x64|arm64|arm|ia32)$/.test(name) && name !== machine.architecture
    );
    return system === machine.system && !isOther;
  });
}

/** Whether a package is for this machine's C library, as its `package.json` says. */
export function fitsLibrary({ libc }: { readonly libc?: readonly string[] }, machine: Machine = thisMachine): boolean {
  return libc === undefined || libc.includes(machine.libc);
}
