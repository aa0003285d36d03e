/** What a Delta log says, action by action (Delta protocol, "Actions"). Fields that this code does not use are kept as read. */
import { parseJson, stringifyJson } from "../lossless_json.ts";

/** Where a data file's deleted rows stand. */
export interface VectorDescriptor {
  /** `u`: a file named by its UUID; `i`: inline; `p`: an absolute path. */
  readonly storageType: "u" | "i" | "p";
  readonly pathOrInlineDv: string;
  readonly offset?: number;
  /** Magic and bitmap, without length and checksum. */
  readonly sizeInBytes: number;
  readonly cardinality: number;
}

/** A data file that is there from now on. */
export interface AddFile {
  /** Below the table's folder, percent-encoded. */
  readonly path: string;
  readonly partitionValues: Readonly<Record<string, string | null>>;
  readonly size: number;
  readonly modificationTime: number;
  readonly dataChange: boolean;
  /** JSON text. */
  readonly stats?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly deletionVector?: VectorDescriptor;
}

/** A data file, under one of its deletion vectors, that is there no more. */
export interface RemoveFile {
  readonly path: string;
  readonly deletionTimestamp?: number;
  readonly dataChange: boolean;
  readonly extendedFileMetadata?: boolean;
  readonly partitionValues?: Readonly<Record<string, string | null>>;
  readonly size?: number;
  readonly deletionVector?: VectorDescriptor;
}

/** Schema and configuration; each one replaces the one before it whole. */
export interface Metadata {
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly format: { readonly provider: string; readonly options?: Readonly<Record<string, string>> };
  readonly schemaString: string;
  readonly partitionColumns: readonly string[];
  readonly configuration: Readonly<Record<string, string>>;
  readonly createdTime?: number;
}

/** What a reader and a writer must understand. The features are listed from reader 3 and writer 7 on. */
export interface Protocol {
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  readonly readerFeatures?: readonly string[];
  readonly writerFeatures?: readonly string[];
}

/** How far an application has written. */
export interface Transaction {
  readonly appId: string;
  readonly version: bigint;
  readonly lastUpdated?: number;
}

/** Free words about a commit; ours names attempt and position. */
export type CommitInfo = Readonly<Record<string, unknown>>;

/** One line of a commit. */
export interface Action {
  readonly commitInfo?: CommitInfo;
  readonly protocol?: Protocol;
  readonly metaData?: Metadata;
  readonly txn?: Transaction;
  readonly add?: AddFile;
  readonly remove?: RemoveFile;
}

/**
 * Reads the lines of a commit.
 *
 * @throws {SyntaxError} If a line is not JSON.
 * @throws {RangeError} If a line is no action.
 */
export function parseActions(text: string): readonly Action[] {
  return text.split("\n").filter((line) => line.trim() !== "").map(parseAction);
}

/** Reads one action. Fields that are null are as good as absent (a checkpoint's rows have all of them). */
export function parseAction(line: string): Action {
  const json = parseJson(line);
  if (typeof json !== "object" || json === null) throw new RangeError("a line is no action");
  const action = withoutNulls(json as Record<string, unknown>) as Action;
  const { add, remove, txn, metaData } = action;
  if (add !== undefined && typeof add.path !== "string") throw new RangeError("an added file has no path");
  if (remove !== undefined && typeof remove.path !== "string") throw new RangeError("a removed file has no path");
  if (metaData !== undefined && typeof metaData.schemaString !== "string") throw new RangeError("a schema is missing");
  return {
    ...action,
    ...(add === undefined ? {} : { add: { ...withoutNulls(add), partitionValues: add.partitionValues ?? {} } }),
    ...(remove === undefined ? {} : { remove: withoutNulls(remove) }),
    ...(txn === undefined ? {} : { txn: { ...withoutNulls(txn), version: BigInt(txn.version) } }),
    ...(metaData === undefined ? {} : { metaData: wholeMetadata(withoutNulls(metaData)) }),
    ...(action.protocol === undefined ? {} : { protocol: withoutNulls(action.protocol) }),
  };
}

function wholeMetadata(metadata: Metadata): Metadata {
  return {
    ...metadata,
    partitionColumns: metadata.partitionColumns ?? [],
    configuration: metadata.configuration ?? {},
  };
}

function withoutNulls<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null)) as T;
}

/** Actions as the lines of a commit. */
export function formatActions(actions: readonly Action[]): string {
  return actions.map((action) => stringifyJson(action) + "\n").join("");
}

/** Tells the vectors of one data file apart (Delta protocol, "Deletion Vector Descriptor Schema"); empty without one. */
export function vectorId(vector: VectorDescriptor | undefined): string {
  if (vector === undefined) return "";
  const { storageType, pathOrInlineDv, offset } = vector;
  return storageType + pathOrInlineDv + (offset === undefined ? "" : `@${offset}`);
}
