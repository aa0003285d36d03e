/** The vector that rows are compared with: that of a row, or of a text. */
import type { DuckDBListValue } from "@duckdb/node-api";
import type { Column } from "../../dataset/column.ts";
import { createEmbedder } from "../../embed/create_embedder.ts";
import { type Embedder, modelVersion, textBatch } from "../../embed/embedder.ts";
import type { Connection } from "../../engine/connection.ts";
import { WeirError } from "../../errors.ts";
import type { RowKey } from "../changes.ts";
import type { TableFolder } from "../lake_folders.ts";
import { nameOf } from "../time_travel.ts";
import { comparedColumn, requireColumn } from "./row_filter.ts";
import type { VectorCensus, VectorSpace } from "./vector_rows.ts";

/** A vector, what it may be compared with, and which row is not to be found because it is what was asked with. */
export interface QueryVector {
  readonly vector: Float32Array;
  readonly space: VectorSpace;
  /** Condition that is true for that row alone; `FALSE` for a text. */
  readonly self: string;
}

/** Where to look. */
export interface QueryTable {
  readonly connection: Connection;
  readonly columns: readonly Column[];
  readonly key: readonly string[];
  /** SELECT of the rows. */
  readonly scan: string;
  readonly census: VectorCensus;
  /** For messages. */
  readonly place: TableFolder;
}

/**
 * The vector of a row. Throws `precondition` where there is no such row or it has no vector, `configuration` where the key's
 * columns are others.
 */
export async function vectorOfRow(key: RowKey, table: QueryTable): Promise<QueryVector> {
  const self = await keyCondition(key, table);
  const [row] = await table.connection.rows(
    `SELECT embedding_vector AS vector, embedding_model AS model FROM (${table.scan}) WHERE ${self} LIMIT 1`,
  );
  const name = nameOf(table.place);
  if (row === undefined) throw new WeirError("precondition", `The ${name} has no row with this key`, advised.key);
  const vector = row.vector as DuckDBListValue | null;
  if (vector === null || row.model === null) {
    throw new WeirError("precondition", `This row of the ${name} has no vector`, advised.vector);
  }
  const numbers = Float32Array.from(vector.items as readonly number[]);
  return { vector: numbers, space: { model: String(row.model), dimensions: numbers.length }, self };
}

const advised = {
  key: { advice: "Look the key up in the table: rows may have left it since" },
  vector: { advice: "Its text could not be embedded: the table's dead letters say why" },
} as const;

async function keyCondition(given: RowKey, { key, columns, connection, place }: QueryTable): Promise<string> {
  const name = nameOf(place);
  if (key.length === 0) {
    throw new WeirError("configuration", `The ${name} has no key that a row could be named by`, {
      advice: "Ask with a text: --text",
    });
  }
  const keyColumns = columns.filter((column) => key.includes(column.name));
  for (const column of Object.keys(given)) requireColumn(column, keyColumns);
  const missing = key.filter((column) => given[column] === undefined);
  if (missing.length > 0) {
    throw new WeirError("configuration", `The key of the ${name} has ${missing.join(" and ")} too`, {
      advice: `Give every column: ${key.map((column) => `--id ${column}=…`).join(" ")}`,
    });
  }
  const table = `${place.namespace}.${place.name}`;
  const conditions: string[] = [];
  for (const [column, value] of Object.entries(given)) {
    const asked = `--id ${JSON.stringify(String(value))}`;
    const compared = await comparedColumn({ column, value, asked }, { table, columns, connection });
    conditions.push(`${compared.name} = ${compared.value}`);
  }
  return conditions.join(" AND ");
}

/** How a text becomes a vector. */
export interface TextQuery {
  readonly text: string;
  /** As `createEmbedder` takes it. Default: the model that most of the table's vectors are of, by the name that they carry. */
  readonly model?: string | undefined;
  /** A model at work already; it stays open. Default: one is started and closed again. */
  readonly embedder?: Embedder | undefined;
  /** Starts a model by its name, and the weights of a transformer by theirs. Default `createEmbedder`. */
  readonly start?: ((model: string, dtype?: string) => Promise<Embedder>) | undefined;
}

/** The vector of a text. Throws `precondition` where the table's vectors are of another model. */
export async function vectorOfText(query: TextQuery, table: QueryTable): Promise<QueryVector> {
  if (query.embedder !== undefined) return await embedded(query.text, { ...table, embedder: query.embedder });
  const [largest] = table.census.spaces;
  if (largest === undefined) throw noVectors(table);
  const start = query.start ?? ((model, dtype = "fp32") => createEmbedder(model, { dtype }));
  const embedder = await (query.model === undefined ? start(modelName(largest), dtypeOf(largest)) : start(query.model));
  try {
    return await embedded(query.text, { ...table, embedder });
  } finally {
    await embedder.close();
  }
}

/** Throws `precondition`: there is nothing to be compared with. */
export function noVectors({ place }: Pick<QueryTable, "place">): WeirError {
  return new WeirError("precondition", `No row of the ${nameOf(place)} has a vector`, {
    advice: "Wait for its first rows; the table's dead letters say why a text could not be embedded",
  });
}

async function embedded(
  text: string,
  { embedder, census, place }: QueryTable & { readonly embedder: Embedder },
): Promise<QueryVector> {
  const space = { model: modelVersion(embedder.model), dimensions: embedder.model.dimensions };
  const isOurs = ({ model, dimensions }: VectorSpace) => model === space.model && dimensions === space.dimensions;
  if (!census.spaces.some(isOurs)) {
    const known = census.spaces.map(spaceText).join(", ");
    const what = `No vector of the ${nameOf(place)} is of ${spaceText(space)}: they are of ${known}`;
    throw new WeirError("precondition", what, {
      advice: "Give the model that the table was embedded with as --model, and its weights as --model-dtype",
    });
  }
  const { vectors, failures: [failure] } = await embedder.embed(textBatch([text]));
  if (failure !== undefined) throw new WeirError("configuration", `The text cannot be embedded: ${failure.reason}`);
  return { vector: vectors, space, self: "FALSE" };
}

function spaceText({ model, dimensions }: VectorSpace): string {
  return `${model} (${dimensions} dimensions)`;
}

/** What a user would call the model of some vectors: of ours and of the hub by its id. Throws `configuration` for one that is known by its folder alone. */
function modelName(space: VectorSpace): string {
  const id = space.model.slice(0, space.model.lastIndexOf("@"));
  if (id === "weir-hash-nonsemantic") return `hash:${space.dimensions}`;
  if (/^(?:weir(?:-.*)?|[\w-][\w.-]*\/[\w.-]+)$/.test(id)) return id;
  const dtype = dtypeOf(space);
  const options = dtype === undefined ? "--model" : `--model and --model-dtype ${dtype}`;
  throw new WeirError("configuration", `The vectors are of ${spaceText(space)}, and nothing says where that model is`, {
    advice: `Give ${options}, as the job that embedded the table was given`,
  });
}

/** The weights that a transformer of the hub or of a folder had, as its revision says it after what pins the files. */
function dtypeOf({ model }: VectorSpace): string | undefined {
  return /@[0-9a-f]{12}-(\w+)(?:-\w+)?$/.exec(model)?.[1];
}
