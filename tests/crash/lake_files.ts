/** The files of a lake, as whoever looks into its folder finds them. */

/** Every file below a folder, by its path. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) paths.push(...await filesBelow(path));
    else paths.push(path);
  }
  return paths;
}

/** Table commits of a lake so far, all tables and formats together. */
export async function countTableCommits(lake: string): Promise<number> {
  return newestVersions(await filesBelow(lake));
}

/** The numbers of the tables' newest versions, added up. */
export function newestVersions(paths: readonly string[]): number {
  const newest = new Map<string, number>();
  for (const path of paths) {
    const [, table, number] =
      /^(.*)\/(?:metadata\/v|snapshot\/snapshot-|_delta_log\/)(\d+)(?:(?:\.metadata)?\.json)?$/.exec(path) ?? [];
    if (table !== undefined) newest.set(table, Math.max(newest.get(table) ?? 0, Number(number)));
  }
  return [...newest.values()].reduce((sum, number) => sum + number, 0);
}
