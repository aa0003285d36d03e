/** Points at which a batch must end. */

/** An ordered set of LSNs. */
export class CutPoints {
  #points: readonly bigint[];

  constructor(points: readonly bigint[] = []) {
    this.#points = ordered(points);
  }

  /** The smallest one. */
  get next(): bigint | undefined {
    return this.#points[0];
  }

  add(point: bigint): void {
    this.#points = ordered([...this.#points, point]);
  }

  /** Forgets every point up to and including one. */
  passed(point: bigint): void {
    this.#points = this.#points.filter((candidate) => candidate > point);
  }
}

function ordered(points: readonly bigint[]): readonly bigint[] {
  return [...new Set(points)].sort((left, right) => left < right ? -1 : 1);
}
