/** Where the packages of a program stand in a `node_modules` of its own, without links: as Node looks for them. */

/** A package as `deno info --json` tells of it. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** Names and versions, of packages for other machines too. */
  readonly dependencies: readonly string[];
  /** Where it is installed, if it is. */
  readonly localPath?: string;
}

interface Wanted {
  readonly id: string;
  /** Folders in which it is looked for, the nearest last; each ends with `/`, the program's own is empty. */
  readonly from: readonly string[];
}

/**
 * The folder of each package that some need, and of those that these need. What is nearest to the program stands at the top;
 * another version of the same name below the package that needs it.
 *
 * @param asked Names and versions.
 * @returns Folders such as `node_modules/pg`, with the names and versions of the packages.
 *
 * @example
 * ```ts
 * import { placedPackages } from "./placed_packages.ts";
 * import assert from "node:assert/strict";
 *
 * const one = (name: string, version: string, ...dependencies: string[]) =>
 *   [`${name}@${version}`, { name, version, dependencies }] as const;
 * const packages = new Map([one("a", "1", "b@1", "c@1"), one("b", "1"), one("c", "1", "b@2"), one("b", "2")]);
 * assert.deepEqual([...placedPackages(["a@1"], packages)], [
 *   ["node_modules/a", "a@1"],
 *   ["node_modules/b", "b@1"],
 *   ["node_modules/c", "c@1"],
 *   ["node_modules/c/node_modules/b", "b@2"],
 * ]);
 * ```
 */
export function placedPackages(
  asked: readonly string[],
  packages: ReadonlyMap<string, NpmPackage>,
): ReadonlyMap<string, string> {
  const placed = new Map<string, string>();
  const wanted: Wanted[] = asked.map((id) => ({ id, from: [""] }));
  for (const { id, from } of wanted) {
    const found = packages.get(id);
    if (found === undefined) continue;
    const folderIn = (place: string) => `${place}node_modules/${found.name}`;
    const nearest = from.toReversed().find((place) => placed.has(folderIn(place)));
    if (nearest !== undefined && placed.get(folderIn(nearest)) === id) continue;
    const depth = nearest === undefined ? 1 : from.length;
    const folder = folderIn(from[depth - 1]!);
    placed.set(folder, id);
    const below = [...from.slice(0, depth), `${folder}/`];
    wanted.push(...found.dependencies.map((dependency) => ({ id: dependency, from: below })));
  }
  return placed;
}
