/**
 * Where each sink stands: what it has recorded, and up to where it has nothing left to do.
 *
 * Promise: `smallest` speaks of recorded positions only, so that acknowledging it can never lose a change.
 */
import { formatPosition, type Position } from "../change/position.ts";
import type { Sink } from "../change/sink.ts";
import type { Source } from "../change/source.ts";

interface Recorded {
  readonly position: Position;
  readonly recordedMs: number;
}

/** The committed positions of a pipeline's sinks. */
export class CommittedPositions {
  readonly #source: Pick<Source, "compare">;
  readonly #recordIdleMs: number;
  readonly #recorded = new Map<Sink, Recorded>();
  #last: Position | undefined;

  /** @param recordIdleMs Longest time a table without changes goes without recording its position. */
  constructor(source: Pick<Source, "compare">, recordIdleMs: number) {
    this.#source = source;
    this.#recordIdleMs = recordIdleMs;
  }

  /** End of the last batch that every live sink has taken or passed over. */
  get last(): Position | undefined {
    return this.#last;
  }

  /** Asks the sinks themselves. */
  async load(sinks: readonly Sink[]): Promise<void> {
    for (const sink of sinks) {
      const { position } = await sink.status();
      const before = this.#recorded.get(sink)?.position;
      if (position === undefined) this.#recorded.delete(sink);
      // Asked again and again, a table that stands still must not seem to have recorded something each time.
      else if (before === undefined || formatPosition(before) !== formatPosition(position)) {
        this.#recorded.set(sink, { position, recordedMs: performance.now() });
      }
    }
  }

  /** Whether the sink has recorded a position. */
  has(sink: Sink): boolean {
    return this.#recorded.has(sink);
  }

  /** What the sink has recorded. */
  of(sink: Sink): Position | undefined {
    return this.#recorded.get(sink)?.position;
  }

  /** Whether the sink has recorded less than the position. */
  isBefore(sink: Sink, position: Position): boolean {
    const recorded = this.#recorded.get(sink);
    return recorded !== undefined && this.#source.compare(recorded.position, position) < 0;
  }

  /** Whether every sink has recorded exactly the position. */
  areAt(sinks: readonly Sink[], position: Position): boolean {
    return sinks.every((sink) => {
      const recorded = this.#recorded.get(sink);
      return recorded !== undefined && this.#source.compare(recorded.position, position) === 0;
    });
  }

  /** Every distinct recorded position. */
  all(): readonly Position[] {
    const positions = [...this.#recorded.values()].map(({ position }) => position);
    return [...new Map(positions.map((position) => [formatPosition(position), position])).values()];
  }

  /** The smallest recorded position of the sinks; undefined where one has none, or there is no sink. */
  smallest(sinks: readonly Sink[]): Position | undefined {
    const positions = sinks.map((sink) => this.#recorded.get(sink)?.position);
    return positions.reduce(
      (smallest, position) =>
        smallest === undefined || position === undefined
          ? undefined
          : this.#source.compare(position, smallest) < 0
          ? position
          : smallest,
      positions[0],
    );
  }

  /** A batch has passed: sinks that had no part in it record its end, at once or when they have not for too long. */
  async passed(sinks: readonly Sink[], batch: { readonly position: Position; readonly now: boolean }): Promise<void> {
    this.#last = batch.position;
    const nowMs = performance.now();
    for (const sink of sinks) {
      const recorded = this.#recorded.get(sink);
      if (recorded === undefined || !this.isBefore(sink, batch.position)) continue;
      if (!batch.now && nowMs - recorded.recordedMs < this.#recordIdleMs) continue;
      await sink.recordPosition(batch.position);
      this.#recorded.set(sink, { position: batch.position, recordedMs: nowMs });
    }
  }

  /** Takes a sink's recorded position away. */
  async forget(sink: Sink): Promise<void> {
    await sink.recordPosition(undefined);
    this.#recorded.delete(sink);
  }
}
