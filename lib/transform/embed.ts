/**
 * Embed: a vector per row, computed from its text before the table commit.
 *
 * Promise: a vector never stands beside another version of its text, template or model; a text that did not change keeps the
 * vector (and its time) it had; a row whose text cannot be embedded keeps its place with a null vector and a dead letter.
 */
import { narrowest, type Relation } from "../change/relation.ts";
import type { Transform, TransformContext } from "../change/transform.ts";
import type { TableDefinition } from "../dataset/dataset.ts";
import type { Embedder } from "../embed/embedder.ts";
import { recordTextSql } from "../embed/record_text.ts";
import type { TextDeclaration } from "../embed/text_declaration.ts";
import type { Connection } from "../engine/connection.ts";
import { identifier, literal } from "../engine/quote.ts";
import { WeirError } from "../errors.ts";
import { vectorsSql } from "../table/vector_file.ts";
import { keyJsonSql, reportDeadLetters } from "./dead_letters.ts";
import { embeddingColumns } from "./embedding_columns.ts";
import { embeddedSql, reusableSql } from "./embed_sql.ts";
import { type EmbeddedTexts, embedTexts } from "./embed_texts.ts";
import { checkSameOrder, createJoined } from "./joined_rows.ts";

/** What {@linkcode createEmbed} needs. */
export interface EmbedOptions {
  readonly text: TextDeclaration;
  readonly embedder: Embedder;
  /** Clock for `embedding_timestamp`. Default: the system's. */
  readonly now?: () => Date;
}

/** What has been done since the transform was made. */
export interface EmbedCounts {
  readonly embedded: number;
  /** Rows whose text had not changed. */
  readonly reused: number;
  /** Rows without a vector. */
  readonly failed: number;
}

/** The embedding step, and its counts. */
export interface EmbedTransform extends Transform {
  readonly counts: EmbedCounts;
}

/** The transform that adds the {@linkcode embeddingColumns}. The caller closes the embedder. */
export function createEmbed(options: EmbedOptions): EmbedTransform {
  const counts = { embedded: 0, reused: 0, failed: 0 };
  return {
    name: "embed",
    counts,
    define: (input) => define(input, options.text),
    async apply(input, context) {
      const done = await apply({ ...options, input, definition: define(input.definition, options.text) }, context);
      counts.embedded += done.embedded;
      counts.reused += done.reused;
      counts.failed += done.failed;
      return done.relation;
    },
  };
}

function define(input: TableDefinition, text: TextDeclaration): TableDefinition {
  recordTextSql(text, { columns: input.columns, from: input.name });
  const taken = embeddingColumns.find(({ name }) => input.columns.some((column) => column.name.toLowerCase() === name));
  if (taken !== undefined) {
    throw new WeirError("configuration", `Cannot embed a table that has a column named "${taken.name}" of its own`, {
      detail: { table: `${input.namespace}.${input.name}` },
    });
  }
  return { ...input, columns: [...input.columns, ...embeddingColumns] };
}

interface EmbedTask extends EmbedOptions {
  readonly input: Relation;
  readonly definition: TableDefinition;
}

async function apply(
  task: EmbedTask,
  context: TransformContext,
): Promise<EmbedCounts & { readonly relation: Relation }> {
  const { input, definition, embedder } = task;
  const { connection } = context;
  const name = context.temporaryName("embedded");
  const texts = context.temporaryName("texts");
  const path = context.temporaryFile("vectors");
  await connection.run(
    `CREATE TABLE ${identifier(texts)} AS ${
      recordTextSql(task.text, { columns: input.definition.columns, from: input.name })
    }`,
  );
  const reusable = await findReusable({ ...task, texts }, context);
  const done = await embedTexts({ ...context, embedder, texts, path });
  await connection.run(`ALTER TABLE ${identifier(texts)} DROP COLUMN text`);
  await markFailures(connection, { ...done, texts });
  for (const beside of [texts, ...(reusable === undefined ? [] : [reusable.table])]) {
    await checkSameOrder(connection, { rows: narrowest(input, []).name, beside });
  }
  const select = embeddedSql(input, {
    texts,
    vectorsSql: vectorsSql(path),
    hasFailures: done.failures.length > 0,
    ...(reusable === undefined ? {} : { reusable: reusable.table }),
    model: embedder.model,
    template: task.text.version,
    embeddedAt: (task.now ?? (() => new Date()))(),
  });
  await createJoined(connection, { name, select, rows: input.rows });
  const vectors = { ...done.pages, of: `SELECT hash FROM ${identifier(texts)}` };
  // Of equal texts, one may have a vector out of the lake, or have failed.
  const isWhole = reusable === undefined && done.failures.length === 0;
  await reportFailures({ done, texts, embedded: { ...input, name } }, context);
  return {
    relation: { ...input, name, definition, narrower: input, ...(isWhole ? { vectors } : {}) },
    embedded: done.embedded,
    reused: reusable?.rows ?? 0,
    failed: done.failures.length,
  };
}

/** A table of the vectors the lake already holds, beside the texts they are of; those texts are taken away. */
async function findReusable(
  task: EmbedTask & { readonly texts: string },
  context: TransformContext,
): Promise<{ readonly table: string; readonly rows: number } | undefined> {
  const { input, texts } = task;
  const { connection } = context;
  if (input.definition.key.length === 0 || input.replacing === 0) return undefined;
  const replacing = `FROM ${identifier(input.name)} WHERE _replaces AND NOT _delete`;
  const keys = context.temporaryName("replaced_keys");
  const key = input.definition.key.map(identifier).join(", ");
  await connection.run(`CREATE TABLE ${identifier(keys)} AS SELECT ${key} ${replacing}`);
  const count = input.replacing ?? Number(await connection.value(`SELECT count(*) FROM ${identifier(keys)}`));
  if (count === 0) return undefined;
  const columns = embeddingColumns.map((column) => column.name);
  const current = await context.currentRows({ name: keys, definition: input.definition, rows: count }, columns);
  if (current === undefined) return undefined;
  const table = context.temporaryName("reusable");
  const version = { model: task.embedder.model, template: task.text.version };
  await connection.run(`CREATE TABLE ${identifier(table)} AS ${reusableSql(input, { ...version, texts, current })}`);
  const taken = `rowid IN (SELECT place FROM ${identifier(table)} WHERE vector IS NOT NULL)`;
  const rows = await connection.run(`UPDATE ${identifier(texts)} SET text = NULL WHERE ${taken}`);
  return { table, rows };
}

async function markFailures(
  connection: Connection,
  { texts, failures }: Pick<EmbeddedTexts, "failures"> & { readonly texts: string },
): Promise<void> {
  if (failures.length === 0) return;
  await connection.run(`ALTER TABLE ${identifier(texts)} ADD COLUMN failed BOOLEAN DEFAULT false`);
  const places = failures.map(({ place }) => `(${place})`).join(", ");
  await connection.run(`UPDATE ${identifier(texts)} SET failed = true WHERE rowid IN (VALUES ${places})`);
}

async function reportFailures(
  found: { readonly done: EmbeddedTexts; readonly texts: string; readonly embedded: Relation },
  context: TransformContext,
): Promise<void> {
  const { done, texts, embedded } = found;
  if (done.failures.length === 0) return;
  const failures = done.failures.map(({ place, reason }) => `(${place}, ${literal(reason.replaceAll("\0", ""))})`);
  await reportDeadLetters(
    `SELECT texts._ordinal AS ordinal, row.key AS key, ${
      literal(embeddingColumns[0].name)
    } AS name, reason, NULL AS element
    FROM (VALUES ${failures.join(", ")}) AS failed(place, reason)
    JOIN ${identifier(texts)} AS texts ON texts.rowid = place
    JOIN (SELECT _ordinal, ${keyJsonSql(embedded.definition.key)} AS key FROM ${identifier(embedded.name)}
      WHERE NOT _delete) AS row ON row._ordinal = texts._ordinal`,
    context,
  );
}
