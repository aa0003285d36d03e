/** The rows of a query as a file. */
import { basename, dirname, extname, join, resolve } from "node:path";
import { literal } from "../engine/quote.ts";
import { storageError, WeirError } from "../errors.ts";
import { type Query, withRows } from "./query.ts";
import { sql, SqlPart } from "./sql_part.ts";

/** What DuckDB is told to write, by the file's ending. */
const forms: Readonly<Record<string, string>> = {
  ".parquet": "FORMAT parquet, COMPRESSION zstd",
  ".csv": "FORMAT csv, HEADER",
};

/** Writes them; see `QueryResult.save`. */
export async function saveRows(query: Query, path: string): Promise<number> {
  const form = forms[extname(path).toLowerCase()];
  if (form === undefined) {
    throw new WeirError("configuration", `the name ${path} does not say what to write`, {
      advice: "End it with .parquet or .csv",
    });
  }
  const made = join(await temporaryFolder(query), `${crypto.randomUUID()}${extname(path)}`);
  const count = await withRows(query, (rows) => sql`COPY ${rows} TO ${new SqlPart([`${literal(made)} (${form})`])}`);
  await place(made, resolve(path));
  return count;
}

/** The one folder that DuckDB may write to, and that is there for what belongs nowhere else. */
async function temporaryFolder({ database }: Query): Promise<string> {
  const connection = await database.connect();
  try {
    return String(await connection.value("SELECT current_setting('temp_directory')"));
  } finally {
    connection.close();
  }
}

/** Beside its place first: a file of another file system cannot take it in one step. */
async function place(made: string, path: string): Promise<void> {
  const beside = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}`);
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.copyFile(made, beside);
    await Deno.rename(beside, path);
  } catch (thrown) {
    await Deno.remove(beside).catch(() => {});
    throw storageError(thrown, path);
  } finally {
    await Deno.remove(made);
  }
}
