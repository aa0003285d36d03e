/** The snapshots that led to a state, and the rows in which two states can differ. */
import { identifier } from "../../engine/quote.ts";
import type { ChangedRows, KeptSnapshot } from "../lake_table.ts";
import { type FilePlace, fileRowsSql, noRowsSql, readableFiles } from "./file_rows_sql.ts";
import type { MetadataReader } from "./metadata_reader.ts";
import { scanSql } from "./scan_sql.ts";
import { decodeProperties, type Snapshot } from "./snapshot.ts";
import type { LiveFile, PaimonState } from "./table_state.ts";

/** Snapshots by id. Each file of them never changes, so that it is read once. */
export class SnapshotHistory {
  readonly #reader: MetadataReader;
  readonly #known = new Map<bigint, Snapshot>();

  constructor(reader: MetadataReader) {
    this.#reader = reader;
  }

  /** A state's own snapshot and those before it that are still there, oldest first. */
  async upTo(newest: bigint | undefined): Promise<readonly KeptSnapshot[]> {
    if (newest === undefined) return [];
    const earliest = await this.#reader.earliestSnapshotId() ?? newest;
    for (const id of this.#known.keys()) if (id < earliest) this.#known.delete(id);
    const kept: KeptSnapshot[] = [];
    for (let id = earliest; id <= newest; id++) {
      const snapshot = this.#known.get(id) ?? await this.#reader.snapshot(id);
      // Expired since the earliest one was looked for, with all before it.
      if (snapshot === undefined) kept.length = 0;
      else {
        this.#known.set(id, snapshot);
        kept.push(keptSnapshot(snapshot, kept.at(-1)));
      }
    }
    return kept;
  }
}

function keptSnapshot(snapshot: Snapshot, before: KeptSnapshot | undefined): KeptSnapshot {
  const own = decodeProperties(snapshot);
  // Compacted files hold the rows that were there before, whoever compacted them.
  const isMerge = snapshot.commitKind === "COMPACT" || snapshot.commitKind === "ANALYZE";
  const position = own?.position ?? (isMerge ? before?.position : undefined);
  const after = isMerge ? position : own?.after;
  return {
    id: snapshot.id,
    timeMs: snapshot.timeMillis,
    ...(position === undefined ? {} : { position }),
    ...(after === undefined ? {} : { after }),
  };
}

/** A key that none of the files holds which only one of two states has is the same in both. */
export async function changedRows(
  older: PaimonState,
  newer: PaimonState,
  { storage, layout }: FilePlace,
): Promise<ChangedRows> {
  const { schema, key, columns } = newer;
  const schemas = new Map([...older.schemas, ...newer.schemas]);
  const before = { ...older, schema, schemas, key, columns };
  const after = { ...newer, schemas };
  const gone = filesNotIn(older, newer);
  const added = filesNotIn(newer, older);
  const read = key.length === 0 ? [...gone, ...added] : [...older.files, ...newer.files];
  const readable = await readableFiles({ storage, layout }, read);
  const place = { readable, layout };
  const dispose = { [Symbol.dispose]: () => readable[Symbol.dispose]() };
  if (key.length === 0) {
    const sides = [{ ...before, files: gone }, { ...after, files: added }].map((state) => scanSql(state, place));
    return { before: sides[0]!, after: sides[1]!, ...dispose };
  }
  const fields = schema.fields.filter(({ name }) => key.includes(name));
  const keys = fileRowsSql({ schemas }, { files: [...gone, ...added], fields, versions: false, place }) ??
    noRowsSql(fields);
  const names = fields.map(({ name }) => identifier(name)).join(", ");
  const touched = (state: PaimonState) => `FROM (${scanSql(state, place)}) SEMI JOIN (${keys}) USING (${names})`;
  return { before: touched(before), after: touched(after), ...dispose };
}

function filesNotIn({ files }: PaimonState, other: PaimonState): readonly LiveFile[] {
  const theirs = new Set(other.files.map(({ identity }) => identity));
  return files.filter(({ identity }) => !theirs.has(identity));
}
