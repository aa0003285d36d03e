/**
 * Who may import whom. The rooms of `lib/` and what each may see beside itself, as whole rooms or single files.
 *
 * A new room is added here first, and what it may see is a decision.
 */

/** Seen from everywhere. */
const everywhere = ["at_most.ts", "errors.ts", "fail_point.ts"];

const contracts = ["change", "dataset", "engine"];

/** A room's name may have two parts: siblings in `source/` and `table/` do not see each other. */
export const rooms: Readonly<Record<string, readonly string[]>> = {
  "at_most.ts": [],
  "errors.ts": [],
  "fail_point.ts": [],
  // What the generator can be asked for is declared once, by the domain that reads it.
  settings: ["domain"],
  cli: ["settings"],
  dataset: [],
  engine: ["dataset"],
  change: ["dataset", "engine"],
  storage: [],
  embedded: [],
  domain: ["dataset"],
  // Writes into a source of ours, over the same connection that reads from it.
  generate: [
    "domain",
    "dataset",
    "engine/quote.ts",
    "source/postgres/connection.ts",
    "source/postgres/postgres_error.ts",
  ],
  // Texts are made by SQL, which needs quoting and nothing else of the engine.
  embed: ["dataset", "engine/quote.ts"],
  fold: contracts,
  // Vectors never enter the engine: they are written as the pages that files of tables take over.
  transform: [...contracts, "embed", "table/vector_file.ts", "table/list_page.ts"],
  // Vectors of another model beside a table: reads the lake and writes it through contracts alone.
  reembed: [...contracts, "embed", "transform"],
  // Near names of tables are found as those of flags are; files of the spool are written as those of a table are.
  "source/postgres": [...contracts, "settings/nearest.ts", "storage/write_all.ts"],
  table: [...contracts, "storage"],
  "table/iceberg": [...contracts, "storage", "table"],
  "table/paimon": [...contracts, "storage", "table"],
  "table/delta": [...contracts, "storage", "table"],
  // Follows a table of one format into the others.
  "table/mirror": [...contracts, "storage", "table", "table/iceberg", "table/paimon", "table/delta"],
  sink: [...contracts, "storage", "table"],
  // Contracts only: never a concrete source, sink, table or storage.
  pipeline: [...contracts, "fold", "storage/storage.ts"],
  // Views over every format: the one room that reads them all. Rows are searched by the columns that travel with a vector, and a
  // text is asked for with the model that the vectors are of.
  query: [
    ...contracts,
    "storage",
    "table",
    "table/iceberg",
    "table/paimon",
    "table/delta",
    "source/postgres/lsn.ts",
    "embed",
    "transform/embedding_columns.ts",
    "settings/nearest.ts",
  ],
  // A lake as notebooks have it: opened by its place alone, and shown. It says counts and tables of text as the jobs do.
  notebook: [
    ...contracts,
    "embed",
    "query",
    "storage",
    "storage/s3",
    "settings",
    "table/lake_table.ts",
    "table/iceberg/rest/configured_catalog.ts",
    "table/iceberg/rest/rest_catalog.ts",
    "cli/format.ts",
    "cli/table.ts",
  ],
  // Jobs in a cell: started as processes, and tried in it; what they tell, and how that is shown.
  job: ["cli", "notebook", "settings"],
  // The cells of a notebook made into the text of a job.
  promote: [],
  // Batches by hand: wires a source to a job's own steps, as a job does, with a sink that keeps what would be written.
  pull: [
    ...contracts,
    "cli/format.ts",
    "embed",
    "embedded/postgres.ts",
    "notebook",
    "pipeline",
    "query",
    "settings",
    "sink/lake_sink.ts",
    "source/postgres",
    "storage",
    "transform",
  ],
  // Statements as a terminal has them: at a prompt or from a pipe, printed or written. Source tables are brought by COPY, with the
  // types that a capture gives them.
  sql: [
    ...contracts,
    "fold/spool_reader.ts",
    "notebook",
    "query",
    "storage",
    "table/iceberg/rest/rest_catalog.ts",
    "source/postgres",
    "settings/nearest.ts",
    "settings/redaction.ts",
    "cli/fitted_table.ts",
    "cli/format.ts",
    "cli/terminal_size.ts",
  ],
  // Answers over HTTP. Whatever listens is started by a job.
  serve: ["embed"],
  // How PostgreSQL itself hashes a row: the one thing verification must not share with our decoder. Which rows changed while it
  // looked, and so cannot be compared, is read from the spool as everywhere.
  verify: [...contracts, "source/postgres/row_text_sql.ts", "fold/spool_reader.ts"],
};

/** These wire things together and may see every room but `testing`. */
const wiring = ["mod.ts"];

/** The room a file of `lib/` belongs to, or undefined for one that is not listed. `path` is from `lib/`. */
export function roomOf(path: string): string | undefined {
  const parts = path.split("/");
  const two = parts.slice(0, 2).join("/");
  if (parts.length > 2 && rooms[two] !== undefined) return two;
  const one = parts[0] ?? "";
  return rooms[one] !== undefined || wiring.includes(one) || one === "testing" ? one : undefined;
}

/** Why one file of `lib/` must not import another; undefined where it may. Paths are from `lib/`. */
export function objection(from: string, to: string): string | undefined {
  const isTest = from.endsWith("_test.ts") || from.startsWith("testing/");
  const [fromRoom, toRoom] = [roomOf(from), roomOf(to)];
  if (fromRoom === undefined) return "its room is not listed in tests/style/rooms.ts";
  if (toRoom === undefined) return `the room of ${to} is not listed in tests/style/rooms.ts`;
  if (isTest) return undefined;
  if (toRoom === "testing") return "testing is for tests alone";
  if (fromRoom === toRoom || wiring.includes(fromRoom)) return undefined;
  if (to === "mod.ts" || to.endsWith("/mod.ts")) return "rooms import the exact file, not mod.ts";
  const seen = [...everywhere, ...rooms[fromRoom] ?? []];
  return seen.includes(toRoom) || seen.includes(to) ? undefined : `${fromRoom} does not see ${toRoom}`;
}
