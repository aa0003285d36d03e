/** What a log adds up to (Delta protocol, "Action Reconciliation"). */
import type { Action, AddFile, Metadata, Protocol, Transaction } from "./actions.ts";
import { ownNames } from "./properties.ts";
import { type DeltaState, type Recorded, recordedIn, recordedOf } from "./state.ts";

/** A file that the log added and did not remove. */
export interface AddedFile {
  readonly add: AddFile;
  /** Version that says so. */
  readonly version: number;
}

/** Replays versions one after another; a later word about the same thing holds. */
export class LogReplay {
  protocol: Protocol | undefined;
  metadata: Metadata | undefined;
  readonly adds: Map<string, AddedFile>;
  readonly transactions: Map<string, Transaction>;
  /** What our last commit recorded; undefined until one was replayed. */
  recorded: Recorded | undefined;

  /** @param known What was replayed before. */
  constructor(known?: DeltaState) {
    this.protocol = known?.protocol;
    this.metadata = known?.metadata;
    this.adds = new Map(
      [...known?.files ?? []].map(([path, { add, deleted }]) => [path, { add, version: deleted?.since ?? 0 }]),
    );
    this.transactions = new Map(known?.transactions);
    if (known !== undefined) this.recorded = recordedOf(known);
  }

  /** Takes the actions of a version, or of a checkpoint, whose rows stand in any order. */
  apply(actions: readonly Action[], version: number): void {
    const removed = new Set(actions.flatMap(({ remove }) => remove?.path ?? []));
    // A file under another deletion vector is removed and added in one version.
    for (const path of removed) this.adds.delete(path);
    for (const { add, txn, metaData, protocol } of actions) {
      if (add !== undefined) this.adds.set(add.path, { add, version });
      if (txn !== undefined) this.transactions.set(txn.appId, txn);
      if (metaData !== undefined) this.metadata = metaData;
      if (protocol !== undefined) this.protocol = protocol;
    }
    if (!actions.some(({ txn }) => txn?.appId === ownNames.appId)) return;
    const info = actions.find(({ commitInfo }) => commitInfo !== undefined)?.commitInfo;
    // A checkpoint knows that we committed, and not what.
    if (info !== undefined) this.recorded = recordedIn(info);
  }
}
