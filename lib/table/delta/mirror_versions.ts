/** Which snapshots of its primary a mirror's versions show. */
import type { TablePlace } from "./load_state.ts";
import { listLog, readCommit } from "./log_file.ts";
import { type DeltaState, recordedIn } from "./state.ts";

interface ShownVersion {
  readonly snapshotId?: bigint | undefined;
  /** When it became the newest, epoch milliseconds. */
  readonly fromMs: number;
}

/** Commits read at a time. */
const mostReads = 64;

/** What is known of versions: those of this process without reading, earlier ones once. */
export class MirrorVersions {
  readonly #known = new Map<number, ShownVersion>();
  #readUpTo: number | undefined;

  /** Takes note of a version that was just committed. */
  note({ version, mirroredSnapshotId }: DeltaState, nowMs: number): void {
    this.#known.set(version, { snapshotId: mirroredSnapshotId, fromMs: nowMs });
  }

  /** Snapshots shown by the newest version and by those that were the newest after a time, oldest first. */
  async shownSince(place: TablePlace, state: DeltaState, sinceMs: number): Promise<readonly bigint[]> {
    await this.#readEarlier(place, state);
    const versions = [...this.#known].sort(([left], [right]) => left - right).map(([, version]) => version);
    const first = versions.findIndex((_, index) => (versions[index + 1]?.fromMs ?? Infinity) >= sinceMs);
    for (const version of [...this.#known.keys()].sort((left, right) => left - right).slice(0, Math.max(first, 0))) {
      this.#known.delete(version);
    }
    return versions.slice(first).flatMap(({ snapshotId }) => snapshotId ?? []);
  }

  async #readEarlier(place: TablePlace, state: DeltaState): Promise<void> {
    const from = this.#readUpTo;
    const versions = from === undefined
      ? (await listLog(place)).commits
      : Array.from({ length: Math.max(0, state.version - from) }, (_, index) => from + 1 + index);
    const unread = versions.filter((version) => version <= state.version && !this.#known.has(version));
    for (let start = 0; start < unread.length; start += mostReads) {
      await Promise.all(
        unread.slice(start, start + mostReads).map(async (version) => {
          const info = (await readCommit(place, version))?.find(({ commitInfo }) => commitInfo !== undefined)
            ?.commitInfo;
          const timestamp = info?.["timestamp"];
          const fromMs = typeof timestamp === "number" ? timestamp : 0;
          this.#known.set(version, { snapshotId: recordedIn(info).mirroredSnapshotId, fromMs });
        }),
      );
    }
    this.#readUpTo = state.version;
  }
}
