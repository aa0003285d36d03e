/** A lake table of notes with vectors of the hash model, in any format. */
import type { Relation } from "../change/relation.ts";
import { types } from "../dataset/column_type.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import { modelVersion, textBatch } from "../embed/embedder.ts";
import { createHashModel } from "../embed/hash_model.ts";
import type { Connection } from "../engine/connection.ts";
import { literal } from "../engine/quote.ts";
import type { TableFolder } from "../query/lake_folders.ts";
import { type LakePlace, lakeTable } from "../query/lake_tables.ts";
import { LakeSink } from "../sink/lake_sink.ts";
import { LocalStorage } from "../storage/local.ts";
import { VectorFile, vectorsSql } from "../table/vector_file.ts";
import { embeddingColumns } from "../transform/embedding_columns.ts";

/** A note. Without a text it has no vector, as one whose text could not be embedded. */
export interface Note {
  readonly id: number;
  readonly text?: string;
  readonly stars?: number;
}

/** Vectors one after the other. */
export interface GivenVectors {
  readonly vectors: Float32Array<ArrayBuffer>;
  readonly dimensions: number;
}

const rowsPerChunk = 2048;

/** The table `desk.notes` of one format, in a folder that DuckDB may use. */
export class VectorLake {
  readonly lake: LakePlace;
  readonly place: TableFolder;
  readonly definition: TableDefinition;
  readonly #folder: string;
  readonly #sink: LakeSink;
  #changes = 0;

  constructor(
    { folder, connection }: { readonly folder: string; readonly connection: Connection },
    { format, key = ["id"] }: { readonly format: TableFolder["format"]; readonly key?: readonly string[] },
  ) {
    this.#folder = folder;
    this.lake = { storage: new LocalStorage(`${folder}/lake`), connection };
    this.place = { format, namespace: "desk", name: "notes" };
    this.definition = {
      namespace: "desk",
      name: "notes",
      key,
      columns: [
        { name: "id", type: types.int64, nullable: false },
        { name: "note", type: types.string, nullable: true },
        { name: "stars", type: types.int32, nullable: true },
        ...embeddingColumns,
      ],
    };
    this.#sink = new LakeSink(lakeTable(this.place, this.lake));
  }

  /** Commits notes, replacing those of the same id. */
  async write(notes: readonly Note[], dimensions = 128): Promise<void> {
    await this.#commit({ upserts: await this.#relation(notes, dimensions) });
  }

  /** Commits notes of other vectors than the hash model's, numbered from `first` on and each with a text of its own. */
  async writeVectors(first: number, given: GivenVectors): Promise<void> {
    const end = first + given.vectors.length / given.dimensions;
    const rows = `SELECT i, 'note ' || i, i % 1000 FROM range(${first}, ${end}) AS numbers(i)`;
    await this.#commit({ upserts: await this.#vectorRelation(rows, given) });
  }

  /** Commits that some notes left. */
  async remove(...ids: readonly number[]): Promise<void> {
    const name = await this.#table(
      `SELECT id, NULL AS note, NULL AS stars, ${embeddingColumns.map(({ name }) => `NULL AS ${name}`).join(", ")}
      FROM (VALUES ${ids.map((id) => `(${id})`).join(", ")}) AS gone(id)`,
    );
    await this.#commit({ removals: { name, definition: this.definition, rows: ids.length } });
  }

  async #commit(rows: { readonly upserts?: Relation; readonly removals?: Relation }): Promise<void> {
    await this.#sink.commit({
      definition: this.definition,
      schemaChanges: [],
      truncate: false,
      scope: this.definition.key,
      // Not PostgreSQL's: nothing that searches may read meaning into it.
      position: { instance: "notes", offset: String(++this.#changes) },
      commitTimeMs: 0,
      ...rows,
    });
    // Snapshots are told apart by the millisecond too.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }

  /** Notes with the hash model's vectors. */
  async #relation(notes: readonly Note[], dimensions: number): Promise<Relation> {
    const model = createHashModel(dimensions);
    const vectors = new Float32Array(notes.length * dimensions);
    await model.embedInto(textBatch(notes.map(({ text = "none" }) => text)), vectors);
    const values = notes.map(({ id, text, stars }) =>
      `(${id}, ${text === undefined ? "NULL" : literal(text)}, ${stars ?? "NULL"})`
    );
    return await this.#vectorRelation(`VALUES ${values.join(", ")}`, {
      vectors,
      dimensions,
      usable: (index) => notes[index]?.text !== undefined,
    });
  }

  async #vectorRelation(
    rows: string,
    given: GivenVectors & { readonly usable?: (index: number) => boolean },
  ): Promise<Relation> {
    const { connection } = this.lake;
    const { vectors, dimensions } = given;
    const path = `${this.#folder}/vectors_${crypto.randomUUID()}`;
    await writeVectors(connection, { ...given, path });
    const name = await this.#table(
      `SELECT id, note, stars, vector, ${dimensions}, CASE WHEN vector IS NOT NULL THEN now() END,
      ${literal(modelVersion(createHashModel().model))}, '1', left(md5(coalesce(note, 'none')), 16)
      FROM (${rows}) AS notes(id, note, stars) POSITIONAL JOIN ${vectorsSql(path)}`,
    );
    await Deno.remove(path);
    return { name, definition: this.definition, rows: vectors.length / dimensions };
  }

  async #table(select: string): Promise<string> {
    const name = `notes_${this.#changes}`;
    const names = this.definition.columns.map((column) => column.name).join(", ");
    await this.lake.connection.run(
      `CREATE OR REPLACE TABLE ${name} AS
      SELECT *, row_number() OVER () AS _ordinal, false AS _delete, true AS _replaces FROM (${select}) AS rows(${names})`,
    );
    return name;
  }
}

async function writeVectors(
  connection: Connection,
  { path, vectors, dimensions, usable = () => true }: GivenVectors & {
    readonly path: string;
    readonly usable?: (index: number) => boolean;
  },
): Promise<void> {
  const rows = vectors.length / dimensions;
  using file = await VectorFile.create(connection, { path, rows });
  for (let first = 0; first < rows; first += rowsPerChunk) {
    const count = Math.min(rowsPerChunk, rows - first);
    await file.append({
      lengths: Int32Array.from({ length: count }, (_, index) => usable(first + index) ? dimensions : -1),
      starts: (index) => (first + index) * dimensions,
      numbers: vectors,
    });
  }
  await file.finish();
}

/** Different notes, of some kinds that have words in common. */
export function manyNotes(first: number, count: number): Note[] {
  const kinds = ["grocery shop", "petrol station", "school fees", "medical aid", "monthly salary", "rent of a flat"];
  return Array.from({ length: count }, (_, index) => {
    const id = first + index;
    return { id, text: `${kinds[id % kinds.length]} number ${id} ref ${(id * 7919) % 10007}`, stars: id % 5 };
  });
}
