import assert from "node:assert/strict";
import fc from "fast-check";
import type { DatasetChanges, SpoolSegment } from "../change/micro_batch.ts";
import { types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Connection } from "../engine/connection.ts";
import { Database } from "../engine/database.ts";
import { literal } from "../engine/quote.ts";
import { spoolLine, writeLines } from "../testing/scripted_spool.ts";
import { fold } from "./fold.ts";

const definition: TableDefinition = {
  namespace: "test",
  name: "rows",
  columns: [
    { name: "id", type: types.int32, nullable: false },
    { name: "small", type: types.string, nullable: true },
    { name: "large", type: types.string, nullable: true },
  ],
  key: ["id"],
};

interface Event {
  readonly op: "I" | "U" | "D" | "T";
  readonly id: number;
  readonly old?: number;
  readonly small?: string | null;
  readonly large?: string | null;
  readonly unchanged?: boolean;
}

type Model = Map<number, { small: string | null; large: string | null }>;

/** Turns random intentions into events that a database could have made, and the state it then has. */
function play(
  start: Model,
  intentions: readonly [number, number, number, string | null][],
): { events: Event[]; end: Model } {
  const end: Model = new Map(start);
  const events: Event[] = [];
  for (const [action, id, other, text] of intentions) {
    const row = end.get(id);
    if (row === undefined) {
      events.push({ op: "I", id, small: text, large: text });
      end.set(id, { small: text, large: text });
    } else if (action === 0) {
      events.push({ op: "D", id });
      end.delete(id);
    } else if (action === 1 && !end.has(other)) {
      events.push({ op: "U", id: other, old: id, small: text, unchanged: true });
      end.delete(id);
      end.set(other, { small: text, large: row.large });
    } else if (action === 4) {
      events.push({ op: "T", id: 0 });
      end.clear();
    } else {
      const unchanged = action === 2;
      const large = unchanged ? row.large : text;
      events.push({ op: "U", id, small: text, large, unchanged });
      end.set(id, { small: text, large });
    }
  }
  return { events, end };
}

function linesOf(events: readonly Event[]): readonly string[] {
  return events.map((event, ordinal) => {
    const fields = [event.op, ordinal, event.unchanged ? "2" : null, event.old, event.id];
    const values = event.op === "D" ? [null, null] : [event.small, event.unchanged ? null : event.large];
    return event.op === "T" ? "" : spoolLine([...fields, ...values].map((value) => value ?? null));
  });
}

function changesOf(
  events: readonly Event[],
  file: Pick<SpoolSegment, "paths" | "longestLineBytes">,
): DatasetChanges {
  const count = (op: string) => events.filter((event) => event.op === op).length;
  const columns = definition.columns.map(({ name, type }) => ({
    name,
    type,
    sql: name === "id" ? `CAST("id" AS INTEGER)` : `"${name}"`,
    fallible: false,
  }));
  const segment: SpoolSegment = {
    layout: "changes",
    ...file,
    columns,
    rows: events.length - count("T"),
    inserts: count("I"),
    updates: count("U"),
    deletes: count("D"),
    keyChanges: events.filter((event) => event.old !== undefined).length,
    unchangedRows: events.filter((event) => event.unchanged).length,
    schemaChanges: [],
  };
  const truncate = events.findLastIndex((event) => event.op === "T");
  return {
    source: "public.rows",
    key: ["id"],
    // As the source does: a segment without rows is none.
    segments: segment.rows === 0 ? [] : [segment],
    deadLetters: [],
    ...(truncate < 0 ? {} : { truncatedBefore: BigInt(truncate) }),
  };
}

/** Loads the model into `lake`, applies the folded relation to it as a sink would, and reads the result. */
async function applyToLake(connection: Connection, batch: {
  readonly start: Model;
  readonly events: readonly Event[];
  readonly path: string;
}): Promise<Model> {
  const { start, events, path } = batch;
  const file = await writeLines(path, linesOf(events));
  await connection.run("CREATE OR REPLACE TABLE lake (id INTEGER, small VARCHAR, large VARCHAR)");
  const text = (value: string | null) => value === null ? "NULL::VARCHAR" : literal(value);
  const rows = [...start].map(([id, { small, large }]) => `(${id}, ${text(small)}, ${text(large)})`);
  if (rows.length > 0) await connection.run(`INSERT INTO lake VALUES ${rows.join(", ")}`);
  const changes = changesOf(events, file);
  const folded = await fold({
    connection,
    changes,
    definition,
    temporaryName: (purpose) => `${purpose}_${crypto.randomUUID()}`,
    currentRows: (keys, columns) =>
      Promise.resolve(
        `SELECT lake.id, ${
          columns.map((name) => `lake.${name}`).join(", ")
        } FROM lake SEMI JOIN "${keys.name}" AS k ON lake.id = k.id`,
      ),
    deadLetter: (letter) => assert.fail(letter.reason),
  });
  const [counted] = await connection.rows(
    `SELECT count(*)::INTEGER AS rows, (count(*) FILTER (_delete))::INTEGER AS deletes,
    (count(*) FILTER (_replaces AND NOT _delete))::INTEGER AS replacing FROM "${folded.name}"`,
  );
  assert.deepEqual(counted, { rows: folded.rows, deletes: folded.deletes, replacing: folded.replacing });
  if (changes.truncatedBefore !== undefined) await connection.run("DELETE FROM lake");
  await connection.run(`DELETE FROM lake WHERE id IN (SELECT id FROM "${folded.name}" WHERE _delete OR _replaces)`);
  await connection.run(`INSERT INTO lake SELECT id, small, large FROM "${folded.name}" WHERE NOT _delete`);
  const found = await connection.rows("SELECT * FROM lake ORDER BY id");
  assert.equal(new Set(found.map((row) => row["id"])).size, found.length, "a key stands twice");
  return new Map(found.map((row) => [
    row["id"] as number,
    { small: row["small"] as string | null, large: row["large"] as string | null },
  ]));
}

Deno.test("folding a batch and applying it leaves exactly the rows the source has, through key changes, truncates and unchanged values", async () => {
  const folder = await Deno.makeTempDir();
  const database = await Database.open({ folders: [folder], temporaryFolder: folder });
  const connection = await database.connect();
  try {
    const intention = fc.tuple(
      fc.oneof({ weight: 12, arbitrary: fc.constantFrom(0, 1, 2, 3) }, { weight: 1, arbitrary: fc.constant(4) }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom("", "a", 'b"c', "line\nbreak", null, "'"),
    );
    const before = fc.array(intention, { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(before, fc.array(intention, { minLength: 1, maxLength: 25 }), async (past, batch) => {
        const start = play(new Map(), past).end;
        const { events, end } = play(start, batch);
        const lake = await applyToLake(connection, { start, events, path: `${folder}/spool.csv` });
        assert.deepEqual(lake, new Map([...end].sort(([left], [right]) => left - right)));
      }),
      // A table that is emptied, and nothing else of it in the batch.
      { seed: 7, numRuns: 150, examples: [[[[3, 1, 1, "a"]], [[4, 1, 1, null]]]] },
    );
  } finally {
    connection.close();
    database.close();
    await Deno.remove(folder, { recursive: true });
  }
});
