/** The keys whose rows leave the table in a change, as a temporary relation of full keys with their buckets. */
import type { TableChange } from "../../change/sink.ts";
import { duckdbType } from "../../dataset/column_type.ts";
import type { Connection } from "../../engine/connection.ts";
import { identifier } from "../../engine/quote.ts";
import { deserializeRow, type KeyValue } from "./binary_row.ts";
import { type FilePlace, fileRowsSql, kindColumn, readableFiles, sequenceColumn } from "./file_rows_sql.ts";
import { compareKeys, type KeyColumn, keyColumns, keyValueSql, toKeyValue } from "./key_columns.ts";
import type { ReadableFiles } from "../../storage/storage.ts";
import { keyInPartition, type PaimonSchema } from "./schema.ts";
import type { LiveFile, PaimonState } from "./table_state.ts";

/** Column of the relation that holds the bucket. */
export const bucketColumn = "_weir_bucket";

/** What {@linkcode makeDeletedKeys} works on. */
export interface DeletedKeysOptions {
  readonly connection: Connection;
  readonly place: FilePlace;
  readonly schema: PaimonSchema;
  readonly key: readonly KeyColumn[];
  /** SQL giving a key's bucket. */
  readonly bucket: string;
  readonly change: TableChange;
}

/**
 * Makes the relation of keys to delete: those of the removals that are not upserted again. Where the removals name only a
 * part of the key (all children of a parent), the full keys are those of the table's live rows.
 *
 * @returns Its name, or undefined where the change deletes nothing. The caller drops it.
 */
export async function makeDeletedKeys(state: PaimonState, options: DeletedKeysOptions): Promise<string | undefined> {
  const { change, key, place } = options;
  if (change.removals === undefined || change.truncate || change.removals.rows === 0) return undefined;
  const whole = key.every(({ name }) => change.scope.includes(name));
  if (whole) return await keepKeys(removedKeysSql(options), options);
  const files = await filesInScope(state, options);
  using readable = await readableFiles(place, files);
  const keys = liveKeysSql(state, { ...options, files, readable });
  return keys && await keepKeys(keys, options);
}

/** Makes the relation of keys that are not upserted again. */
async function keepKeys(keys: string, { change, key, connection, bucket }: DeletedKeysOptions): Promise<string> {
  const again = change.upserts === undefined
    ? ""
    : `ANTI JOIN ${identifier(change.upserts.name)} AS upserts USING (${columnList(key)})`;
  const name = `weir_paimon_deleted_${crypto.randomUUID().replaceAll("-", "")}`;
  await connection.run(
    `CREATE TEMP TABLE ${identifier(name)} AS
     SELECT *, ${bucket} AS ${identifier(bucketColumn)} FROM (SELECT DISTINCT * FROM (${keys}) AS keys ${again})`,
  );
  return name;
}

function removedKeysSql({ key, change }: DeletedKeysOptions): string {
  const columns = key.map(({ name, type }) => `${identifier(name)}::${duckdbType(type)} AS ${identifier(name)}`);
  return `SELECT ${columns.join(", ")} FROM ${identifier(change.removals!.name)}`;
}

/** Keys of the table's rows within the removals' scope. Versions of one key are told apart by their sequence number. */
function liveKeysSql(
  state: PaimonState,
  options: DeletedKeysOptions & { readonly files: readonly LiveFile[]; readonly readable: ReadableFiles },
): string | undefined {
  const { key, change, schema, place, files, readable } = options;
  const fields = schema.fields.filter(({ name }) => key.some((column) => column.name === name));
  const rows = fileRowsSql(state, { files, fields, versions: true, place: { readable, layout: place.layout } });
  return rows && `SELECT ${columnList(key)} FROM (${rows}) AS live
    SEMI JOIN ${identifier(change.removals!.name)} AS removals USING (${change.scope.map(identifier).join(", ")})
    GROUP BY ${columnList(key)}
    HAVING arg_max(${identifier(kindColumn)}, ${identifier(sequenceColumn)}) IN (0, 2)`;
}

/** Files whose range of the first key column meets that of the removals. */
async function filesInScope(state: PaimonState, options: DeletedKeysOptions): Promise<readonly LiveFile[]> {
  const { schema, change, connection } = options;
  const key = keyColumns(schema.fields, keyInPartition(schema));
  const first = key[0]!;
  if (!change.scope.includes(first.name)) return state.files;
  const value = keyValueSql(first);
  const [range] = await connection.rows(
    `SELECT min(${value}) AS low, max(${value}) AS high FROM ${identifier(change.removals!.name)}`,
  );
  const low: KeyValue = toKeyValue(range!.low!);
  const high: KeyValue = toKeyValue(range!.high!);
  const types = key.map(({ type }) => type);
  return state.files.filter((file) => {
    const [min] = deserializeRow(types, file.minKey);
    const [max] = deserializeRow(types, file.maxKey);
    return compareKeys([max!], [low]) >= 0 && compareKeys([min!], [high]) <= 0;
  });
}

function columnList(key: readonly KeyColumn[]): string {
  return key.map(({ name }) => identifier(name)).join(", ");
}
