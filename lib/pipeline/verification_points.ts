/**
 * Points of the stream at which every table is to be compared with the source.
 *
 * Promise: what is read of the sinks at a point belongs together, because nothing is committed meanwhile.
 */
import type { Position } from "../change/position.ts";
import type { Source, VerificationPoint } from "../change/source.ts";
import { WeirError } from "../errors.ts";

/** Points opened for one verification, at most. */
const attempts = 10;

/** Somebody who waits for every table to stand at a position. */
interface WaitingPoint {
  readonly position: Position;
  readonly arrived: (isThere: boolean) => Promise<void>;
  readonly giveUp: (reason: WeirError) => void;
}

/** The points that were opened and not reached yet. */
export class VerificationPoints {
  readonly #source: Pick<Source, "verificationPoint" | "compare">;
  readonly #waiting: WaitingPoint[] = [];
  #opening: Promise<void> | undefined;
  /** Why no point is reached any more. */
  #endedBy: WeirError | undefined;

  constructor(source: Pick<Source, "verificationPoint" | "compare">) {
    this.#source = source;
  }

  /** Pending while a point is being opened: a batch that ends meanwhile could end at that very point. */
  get opening(): Promise<void> | undefined {
    return this.#opening;
  }

  /**
   * Opens a point and calls `reached` once every table stands exactly there. Resolves after the call; rejects when it
   * throws. A point at which a table waits for its copy is given up for a later one.
   *
   * Throws `conflict` where that goes on and on.
   */
  async open(reached: () => Promise<void> | void): Promise<VerificationPoint> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const point = await this.#open(reached);
      if (point !== undefined) return point;
    }
    throw new WeirError("conflict", "Tables are copied again and again, so that they never all stand at one position");
  }

  /** Whether somebody waits for a point up to here. */
  isReached(now: Position): boolean {
    return this.#upTo(now).length > 0;
  }

  /** Tells those who wait for points up to here whether every table stands at theirs. */
  async arrive(now: Position, areAt: (position: Position) => boolean): Promise<void> {
    for (const waiting of this.#upTo(now)) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      await waiting.arrived(areAt(waiting.position));
    }
  }

  /** The run was stopped: who waits, now or later, gets an error of kind `interrupted`. */
  giveUp(): void {
    this.#endedBy = new WeirError(
      "interrupted",
      "The run was stopped before every table had come as far as the source",
    );
    for (const waiting of this.#waiting.splice(0)) waiting.giveUp(this.#endedBy);
  }

  #upTo(now: Position): readonly WaitingPoint[] {
    return this.#waiting.filter(({ position }) => this.#source.compare(now, position) >= 0);
  }

  /** Undefined where the point passed while a table was not there. */
  async #open(reached: () => Promise<void> | void): Promise<VerificationPoint | undefined> {
    const opening = Promise.withResolvers<void>();
    this.#opening = opening.promise;
    let arrival: Promise<boolean>;
    let point: VerificationPoint;
    try {
      point = await this.#source.verificationPoint();
      arrival = this.#arrival(point.position, reached);
    } finally {
      opening.resolve();
      this.#opening = undefined;
    }
    try {
      if (await arrival) return point;
      await point.close();
      return undefined;
    } catch (thrown) {
      await point.close();
      throw thrown;
    }
  }

  /** Whether every table stood at the position when it was passed. */
  #arrival(position: Position, reached: () => Promise<void> | void): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (this.#endedBy !== undefined) return reject(this.#endedBy);
      this.#waiting.push({
        position,
        arrived: async (isThere) => {
          if (!isThere) return resolve(false);
          await Promise.resolve().then(reached).then(() => resolve(true), reject);
        },
        giveUp: reject,
      });
    });
  }
}
