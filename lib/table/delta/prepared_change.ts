/** The files of a change against one state, ready to be staged: plain data. */
import type { Position } from "../../change/position.ts";
import type { Metadata, Protocol } from "./actions.ts";
import type { LiveFile } from "./state.ts";

/** What a table is: which columns, under which rules. */
export interface TableDescription {
  readonly protocol: Protocol;
  readonly metadata: Metadata;
}

/** A live file with what stands for it afterwards. */
export interface Replacement {
  readonly target: LiveFile;
  /** The same file under another deletion vector, or a file with the rows that stay; absent: no row stays. */
  readonly by?: LiveFile;
  /** Whether rows leave. A file that is written anew with wider columns holds the same rows. */
  readonly dataChange: boolean;
}

/** Files that were merged into one. */
export interface PreparedMerge {
  /** In the order in which their living rows stand in the merged file. */
  readonly inputs: readonly LiveFile[];
  readonly file: LiveFile | undefined;
}

/** A change whose files are written. */
export interface DeltaPrepared {
  readonly base: TableDescription;
  /** What the files were written for. */
  readonly target: TableDescription;
  readonly truncate: boolean;
  /** Files with the change's own rows. */
  readonly added: readonly LiveFile[];
  readonly replaced: readonly Replacement[];
  /** Data files that were live when keys were looked up; undefined where none were looked up. */
  readonly searched?: ReadonlySet<string>;
  /** Undefined takes the recorded position away. */
  readonly position: Position | undefined;
  /** Where the change begins (`TableChange.after`). */
  readonly after?: Position;
  readonly commitTimeMs?: number;
  /** Present where files are merged and no row changes. */
  readonly merge?: PreparedMerge;
  /** Everything written, below the storage root. */
  readonly paths: readonly string[];
}
