/** Files that are written and wait for a commit, and whether they still can have one. */
import type { TableChange } from "../../change/sink.ts";
import type { ManifestEntry } from "./manifest.ts";
import { type Place, placeId } from "./partitioning.ts";
import { type PaimonSchema, sameSchema } from "./schema.ts";
import type { CommitKind } from "./snapshot.ts";
import type { LiveFile, PaimonState } from "./table_state.ts";

/** Files written for a change, and what a commit must know beside them. */
export interface PreparedChange {
  readonly change: Pick<TableChange, "position" | "after" | "commitTimeMs">;
  /** Schema the files were written with. */
  readonly schema: PaimonSchema;
  readonly additions: readonly ManifestEntry[];
  /** Paths of the added files, below the storage root. */
  readonly paths: readonly string[];
  /** Every file of the snapshot the change was prepared on, where the table is truncated. */
  readonly deletions: readonly ManifestEntry[];
  readonly truncate: boolean;
  /** The state the files were made for. */
  readonly base: { readonly snapshotId: bigint | undefined; readonly schemaId: number };
}

/** Files that take the place of others while the rows stay what they are. */
export interface PreparedRewrite {
  readonly rewrite: Extract<CommitKind, "COMPACT" | "OVERWRITE">;
  /** A schema that the commit introduces. Undefined: the one that is current then. */
  readonly schema?: PaimonSchema;
  /** Schema of the files that were written: it may be current no more, and no other file may have it. */
  readonly fileSchema: PaimonSchema;
  readonly additions: readonly ManifestEntry[];
  readonly deletions: readonly ManifestEntry[];
  /** Paths of the files that were written, below the storage root. */
  readonly paths: readonly string[];
  readonly base: RewriteBase;
}

/** The files that a rewrite goes on from. */
export interface RewriteBase {
  /** Files that it replaces: all of them must be live. */
  readonly inputs: readonly string[];
  /** Files that must be all there are beside them, within `scope`. */
  readonly others: readonly string[];
  /** Whose files: those above level 0 of one place, or the whole table's. */
  readonly scope: { readonly place: Pick<Place, "id"> } | "table";
  /** Schema of the state that was read. */
  readonly schemaId: number;
}

/** Files that a commit makes visible: a change's, or those of upkeep. */
export type PaimonPrepared = PreparedChange | PreparedRewrite;

/** The base of a rewrite of some of a state's files. */
export function rewriteBase(
  state: Pick<PaimonState, "files" | "schema">,
  { inputs, scope }: Pick<RewriteBase, "inputs" | "scope">,
): RewriteBase {
  const replaced = new Set(inputs);
  const others = state.files.filter((file) => isWithin(file, scope) && !replaced.has(file.identity));
  return { inputs, scope, schemaId: state.schema.id, others: others.map(({ identity }) => identity) };
}

/** New files of level 0 are no matter to a place's compaction: their versions are newer than all that is merged. */
function isWithin(file: LiveFile, scope: RewriteBase["scope"]): boolean {
  return scope === "table" || (file.place.id === scope.place.id && file.level > 0);
}

/**
 * Whether prepared files may still be committed on a newer state.
 *
 * A change's fit as long as their sequence numbers are above every other's and their schema is the next one; a truncate
 * names each file it removes, so it fits no other snapshot. A rewrite fits while its inputs are live and no other rewrite
 * has come between.
 */
export function fits(state: PaimonState, prepared: PaimonPrepared): boolean {
  if ("rewrite" in prepared) return rewriteFits(state, prepared);
  if (state.schema.id !== prepared.base.schemaId) return false;
  if (prepared.truncate && state.snapshotId !== prepared.base.snapshotId) return false;
  return prepared.additions.every(({ _PARTITION, _BUCKET, _FILE }) =>
    _FILE._MIN_SEQUENCE_NUMBER > (state.sequenceNumbers.get(placeId(_PARTITION, _BUCKET)) ?? -1n)
  );
}

function rewriteFits(state: PaimonState, { base, schema }: PreparedRewrite): boolean {
  if (schema !== undefined && !mayIntroduce(state, { schema, after: base.schemaId })) return false;
  const live = new Set(state.files.map(({ identity }) => identity));
  if (!base.inputs.every((identity) => live.has(identity))) return false;
  const { others } = rewriteBase(state, base);
  return others.length === base.others.length && base.others.every((identity) => live.has(identity));
}

/** Whether a schema still follows the newest, and no other stands under its number. */
function mayIntroduce(state: PaimonState, { schema, after }: { schema: PaimonSchema; after: number }): boolean {
  const standing = state.pendingSchemas.filter(({ id }) => id >= schema.id);
  return state.schema.id === after && standing.every((other) => other.id === schema.id && sameSchema(other, schema));
}

/** Parts of one load as one change. */
export function combineChanges(parts: readonly PaimonPrepared[]): PreparedChange {
  const changes = parts.map((part) => {
    if ("rewrite" in part) throw new TypeError("Cannot combine a compaction with other parts");
    return part;
  });
  const [first, ...rest] = changes;
  if (first === undefined) throw new TypeError("Cannot combine no parts");
  if (rest.some(({ base, schema }) => base.snapshotId !== first.base.snapshotId || schema.id !== first.schema.id)) {
    throw new TypeError("Cannot combine parts that were prepared on different states");
  }
  return {
    ...first,
    additions: changes.flatMap((part) => part.additions),
    paths: changes.flatMap((part) => part.paths),
    deletions: changes.find((part) => part.truncate)?.deletions ?? [],
    truncate: changes.some((part) => part.truncate),
  };
}
