/** Where the versions of one table are kept: files beside it, or a catalog service. */
import type { CommitResult } from "../../change/sink.ts";
import type { TableMetadata } from "./metadata.ts";
import type { IcebergStaged } from "./stage_commit.ts";
import type { IcebergState } from "./state.ts";

/** One version of a table, not yet decoded. */
export interface TableVersion {
  /** Grows with every version; see {@linkcode IcebergState.version}. */
  readonly version: number;
  readonly metadata: TableMetadata;
  /** Folder of the table below the storage root. */
  readonly folder: string;
}

/** How a commit ended, and the state that it left where that is known. */
export type CatalogCommit =
  | (Extract<CommitResult, { outcome: "committed" }> & { readonly next?: IcebergState })
  | Exclude<CommitResult, { outcome: "committed" }>;

/**
 * The versions of one table.
 *
 * Promise: a version follows exactly one other, the one it was staged on; a commit is visible whole or not at all.
 */
export interface TableCatalog {
  /**
   * Whether a service keeps the versions. It writes and removes metadata files itself; and it compares branches alone, so that
   * progress without rows is committed as a snapshot, for two writers could record other progress over each other's.
   */
  readonly isService: boolean;
  /** The newest version; `known` itself where it still is, undefined where there is no table. */
  load(known: TableVersion | undefined): Promise<TableVersion | undefined>;
  /** Makes the table's first version, unless somebody else has. */
  create(metadata: TableMetadata): Promise<void>;
  /** Puts what was staged. */
  commit(staged: IcebergStaged): Promise<CatalogCommit>;
  /** After `unknown`: whether this commit is in the table's history. */
  isCommitted(staged: IcebergStaged): Promise<boolean>;
}
