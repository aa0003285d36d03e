/**
 * The schemas of a mirror: the newest has the columns as they are called, and each file is read with one that has them as they stand
 * in it (Paimon finds columns of a file by the names of that file's schema, and then goes by field id).
 */
import type { Storage } from "../../storage/storage.ts";
import { sameType } from "../../dataset/column_type.ts";
import { mirrorOfProperty, type PublishedFile, type PublishedSnapshot } from "../published_table.ts";
import { vectorsOption } from "./deletion_index.ts";
import type { MetadataReader } from "./metadata_reader.ts";
import { encodeSchema, type PaimonField, type PaimonSchema, toField } from "./schema.ts";

/** What a mirror's tables never change. */
export function mirrorOptions({ keepMs }: { readonly keepMs: number }): Readonly<Record<string, string>> {
  return {
    bucket: "-1",
    "file.format": "parquet",
    // Other writers' compaction would take files away from under the primary.
    "write-only": "true",
    [vectorsOption]: "true",
    "snapshot.time-retained": `${Math.ceil(keepMs / 1000)} s`,
    "snapshot.num-retained.min": "1",
    [mirrorOfProperty]: "iceberg",
  };
}

/** The newest schema, and by file the one it is read with. */
export interface MirrorSchemas {
  readonly newest: PaimonSchema;
  readonly ofFile: (file: PublishedFile) => PaimonSchema;
}

/** Where schemas are kept. */
export interface SchemaPlace {
  readonly storage: Storage;
  readonly reader: MetadataReader;
  readonly keepMs: number;
  readonly nowMs: number;
}

/** Sees to it that every schema is there that a snapshot and its new files need. The newest is put last. */
export async function putSchemas(
  place: SchemaPlace,
  snapshot: PublishedSnapshot,
  files: readonly PublishedFile[],
): Promise<MirrorSchemas> {
  const known = await knownSchemas(place.reader);
  const wanted = await wantedFields(snapshot, files);
  const asCalled = snapshot.columns.map((column) => fieldOf(column, column));
  const missing = [...wanted.values()].filter((fields) => schemaOf(known, fields) === undefined);
  const isNewest = known.length > 0 && missing.length === 0 && sameFields(known.at(-1)!.fields, asCalled);
  for (const fields of isNewest ? [] : [...missing.filter((fields) => !sameFields(fields, asCalled)), asCalled]) {
    if (schemaOf(known, fields) !== undefined && fields !== asCalled) continue;
    known.push(await putSchema(place, { known, fields, highestFieldId: snapshot.highestColumnId }));
  }
  return { newest: known.at(-1)!, ofFile: (file) => schemaOf(known, wanted.get(file)!)! };
}

async function knownSchemas(reader: MetadataReader): Promise<PaimonSchema[]> {
  const known: PaimonSchema[] = [];
  for (let schema = await reader.schema(0); schema !== undefined; schema = await reader.schema(known.length)) {
    known.push(schema);
  }
  return known;
}

async function putSchema(
  { storage, reader, keepMs, nowMs }: SchemaPlace,
  of: {
    readonly known: readonly PaimonSchema[];
    readonly fields: readonly PaimonField[];
    readonly highestFieldId: number;
  },
): Promise<PaimonSchema> {
  const { known, fields, highestFieldId } = of;
  const options = known.at(-1)?.options ?? mirrorOptions({ keepMs });
  const schema = {
    id: known.length,
    fields,
    highestFieldId,
    primaryKeys: [],
    partitionKeys: [],
    options,
    timeMillis: nowMs,
  };
  if (await storage.putIfAbsent(reader.layout.schema(schema.id), encodeSchema(schema))) return schema;
  return await reader.requiredSchema(schema.id);
}

/** Columns of each new file, as they stand in it. */
async function wantedFields(
  snapshot: PublishedSnapshot,
  files: readonly PublishedFile[],
): Promise<ReadonlyMap<PublishedFile, readonly PaimonField[]>> {
  const plain = snapshot.columns.map((column) => fieldOf(column, { name: column.fileName, type: column.type }));
  const inFiles = files.length === 0 ? undefined : await snapshot.inFiles(files);
  return new Map(files.map((file) => {
    const found = inFiles?.get(file);
    if (found === undefined) return [file, plain];
    return [
      file,
      snapshot.columns.flatMap((column) => {
        const own = found.get(column.id);
        return own === undefined ? [] : [fieldOf(column, own)];
      }),
    ];
  }));
}

function fieldOf(
  { id, doc, nullable }: PublishedSnapshot["columns"][number],
  { name, type }: Pick<PaimonField, "name" | "type">,
): PaimonField {
  return toField({ name, type, nullable, ...(doc === undefined ? {} : { doc }) }, { id, nullable: true });
}

function schemaOf(known: readonly PaimonSchema[], fields: readonly PaimonField[]): PaimonSchema | undefined {
  return known.findLast((schema) => sameFields(schema.fields, fields));
}

function sameFields(left: readonly PaimonField[], right: readonly PaimonField[]): boolean {
  return left.length === right.length && left.every((field, index) => {
    const other = right[index]!;
    return field.id === other.id && field.name === other.name && sameType(field.type, other.type);
  });
}
