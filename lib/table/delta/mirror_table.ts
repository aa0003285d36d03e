/**
 * A Delta table over the files of another table: only its log and its deletion vectors are its own.
 *
 * Files are named by their whole URIs, outside of the table's folder, where no vacuum of any maker looks for what it may delete.
 */
import type { CommitResult } from "../../change/sink.ts";
import { WeirError } from "../../errors.ts";
import type { MirroredPoint, MirrorTable, PublishedSnapshot } from "../published_table.ts";
import type { Expiry, UpkeepPolicy } from "../upkeep.ts";
import { type Action, formatActions } from "./actions.ts";
import { writeVectors } from "./deletion_vectors.ts";
import { expireVersions, keptSince, referencedFiles } from "./expiry.ts";
import { loadState, type TablePlace } from "./load_state.ts";
import { commitPath, hasVersion } from "./log_file.ts";
import { describeMirror } from "./mirror_description.ts";
import { type FileDifference, stageMirror, withVectors } from "./mirror_commit.ts";
import { mirrorDifference } from "./mirror_difference.ts";
import { MirrorVersions } from "./mirror_versions.ts";
import { putCommit } from "./put_commit.ts";
import { type DeltaState, isMirror } from "./state.ts";
import { tidyLog } from "./tidy_log.ts";

/** Where a mirror is kept. */
export interface DeltaMirrorOptions extends TablePlace {
  readonly namespace: string;
  readonly name: string;
  /** Of a mirror that is made: for so long its versions can be read, milliseconds. The primary keeps their files as long. */
  readonly keepMs: number;
}

/** A {@linkcode MirrorTable} in Delta. */
export class DeltaMirror implements MirrorTable {
  readonly format = "delta";
  readonly location: string;
  readonly #place: DeltaMirrorOptions;
  readonly #versions = new MirrorVersions();
  #newest: DeltaState | undefined;

  constructor(options: DeltaMirrorOptions) {
    this.#place = options;
    this.location = options.storage.uri(options.folder);
  }

  async load(): Promise<MirroredPoint | undefined> {
    const state = await this.#load();
    if (state === undefined) return undefined;
    const { mirroredSnapshotId, position } = state;
    return {
      ...(mirroredSnapshotId === undefined ? {} : { snapshotId: mirroredSnapshotId }),
      ...(position === undefined ? {} : { position }),
    };
  }

  async publish(snapshot: PublishedSnapshot): Promise<CommitResult> {
    const state = await this.#load() ?? await this.#create(snapshot);
    const difference = await mirrorDifference(state, snapshot);
    const target = describeMirror(this.#place, snapshot, state);
    const marked = difference.added.filter(({ deleted }) => deleted !== undefined);
    const vectors = marked.length === 0
      ? undefined
      : await writeVectors(this.#place, marked.map(({ deleted }) => deleted!));
    const whole: FileDifference = withVectors(difference, snapshot, vectors?.descriptors ?? []);
    const staged = stageMirror(this.#place.folder, state, { target, snapshot, difference: whole });
    if (staged === undefined) {
      return { outcome: "committed", snapshotId: BigInt(state.version), rows: state.rows };
    }
    const result = await putCommit(this.#place, staged);
    if (result.outcome === "committed") {
      this.#versions.note(staged.next, Date.now());
      this.#newest = staged.isCheckpointDue ? await tidyLog(this.#place, staged.next) : staged.next;
    } else if (result.outcome === "conflict" && vectors !== undefined) await this.#place.storage.delete(vectors.path);
    return result;
  }

  async shown(policy: UpkeepPolicy, nowMs: number): Promise<readonly bigint[]> {
    const state = await this.#load();
    if (state === undefined) return [];
    const since = keptSince(state, nowMs, policy).files;
    return await this.#versions.shownSince(this.#place, state, since);
  }

  async expire(
    policy: UpkeepPolicy,
    { nowMs, dryRun = false }: { readonly nowMs: number; readonly dryRun?: boolean },
  ): Promise<Expiry> {
    const state = await this.#load();
    if (state === undefined) return { snapshots: 0, unneeded: [] };
    return await expireVersions(this.#place, state, { policy, nowMs, dryRun });
  }

  async referenced(): Promise<ReadonlySet<string>> {
    const state = await this.#load();
    return state === undefined ? new Set() : await referencedFiles(this.#place, state);
  }

  async #load(): Promise<DeltaState | undefined> {
    const known = this.#newest;
    const isThere = known !== undefined && await hasVersion(this.#place, known.version);
    if (isThere && !await hasVersion(this.#place, known.version + 1)) return known;
    const state = await loadState(this.#place, { known: isThere ? known : undefined, mends: true });
    if (state !== undefined && !isMirror(state)) throw this.#taken();
    return this.#newest = state;
  }

  async #create(snapshot: PublishedSnapshot): Promise<DeltaState> {
    const { protocol, metadata } = describeMirror(this.#place, snapshot);
    const info = { timestamp: Date.now(), operation: "CREATE TABLE", operationParameters: {}, engineInfo: "weir" };
    const actions: Action[] = [{ commitInfo: info }, { protocol }, { metaData: metadata }];
    const bytes = new TextEncoder().encode(formatActions(actions));
    await this.#place.storage.putIfAbsent(commitPath(this.#place.folder, 0), bytes);
    const state = await this.#load();
    if (state === undefined) throw new WeirError("conflict", `Table ${this.#name} left while it was made`);
    return state;
  }

  get #name(): string {
    return `${this.#place.namespace}.${this.#place.name}`;
  }

  #taken(): WeirError {
    return new WeirError(
      "precondition",
      `Cannot mirror ${this.#name} as Delta: a Delta table that is no mirror stands there`,
      {
        detail: { table: this.#name, path: this.#place.folder },
        advice: "Leave delta in --formats if a job writes that table, or use another --lake",
      },
    );
  }
}
