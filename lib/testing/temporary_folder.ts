/** Folders that live as long as one test. Apart from databases: a test without one need not load DuckDB. */

/** Runs a body with a new folder that is removed afterwards, however the body ends. */
export async function withTemporaryFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "weir-" });
  try {
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
