/** Weighted choice among the allowed values of a field. */
import type { Random } from "./random.ts";

/** One allowed value and how often it comes, relative to its siblings. */
export interface PickEntry<T> {
  readonly value: T;
  /** A positive number. */
  readonly weight: number;
}

/** A list of allowed values. */
export class PickList<T> {
  readonly entries: readonly PickEntry<T>[];
  readonly totalWeight: number;
  readonly #upTo: Float64Array;

  /** @throws {RangeError} If the list is empty or a weight is not a positive finite number. */
  constructor(entries: readonly PickEntry<T>[]) {
    if (entries.length === 0) throw new RangeError("Cannot make a pick list without values");
    this.#upTo = new Float64Array(entries.length);
    let total = 0;
    for (const [index, { weight }] of entries.entries()) {
      if (!(weight > 0 && Number.isFinite(weight))) {
        throw new RangeError(`Cannot use ${weight} as a weight: expected a positive number`);
      }
      this.#upTo[index] = total += weight;
    }
    this.entries = entries;
    this.totalWeight = total;
  }

  /** Draws one value. */
  pick(random: Random): T {
    const drawn = random.fraction() * this.totalWeight;
    let index = 0;
    while (index < this.entries.length - 1 && (this.#upTo[index] as number) <= drawn) index++;
    return (this.entries[index] as PickEntry<T>).value;
  }

  /** The values that meet a condition, with their weights; undefined where none does. */
  filter(keep: (value: T) => boolean): PickList<T> | undefined {
    const kept = this.entries.filter((entry) => keep(entry.value));
    return kept.length === 0 ? undefined : new PickList(kept);
  }
}

/**
 * Reads the text form of a list: `Savings:3,Cheque:6` (a value without weight has weight 1), or JSON, either
 * `{"Savings": 3}` or `[{"value": …, "weight": 3}]`. JSON's second form is the only one whose values may be objects.
 *
 * @throws {RangeError} If the text is none of these.
 *
 * @example
 * ```ts
 * import { parsePickEntries } from "./pick_list.ts";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(parsePickEntries("Savings:3, Cheque"), [{ value: "Savings", weight: 3 }, { value: "Cheque", weight: 1 }]);
 * assert.deepEqual(parsePickEntries('{"EFT": 8}'), [{ value: "EFT", weight: 8 }]);
 * ```
 */
export function parsePickEntries(text: string): readonly PickEntry<unknown>[] {
  const trimmed = text.trim();
  if (trimmed.startsWith("[") || trimmed.startsWith("{")) return pickEntries(parseJsonText(trimmed));
  return trimmed.split(",").map((part, index) => {
    const [value = "", weight = "1", ...rest] = part.split(":").map((piece) => piece.trim());
    if (value === "" || weight === "" || rest.length > 0) throw unreadable();
    if (Number.isNaN(Number(weight))) {
      throw new RangeError(`Cannot read the weight of value ${index + 1}: expected a number, as in "A:3"`);
    }
    return { value, weight: Number(weight) };
  });
}

/**
 * Reads a list that is already parsed JSON, see {@linkcode parsePickEntries}.
 *
 * @throws {RangeError} If it has another shape.
 */
export function pickEntries(json: unknown): readonly PickEntry<unknown>[] {
  if (Array.isArray(json)) return json.map(pickEntry);
  if (typeof json !== "object" || json === null) throw unreadable();
  return Object.entries(json).map(([value, weight]) => pickEntry({ value, weight }));
}

function pickEntry(json: unknown): PickEntry<unknown> {
  const { value, weight } = (json ?? {}) as Partial<PickEntry<unknown>>;
  if (value === undefined || typeof weight !== "number") throw unreadable();
  return { value, weight };
}

function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable();
  }
}

function unreadable(): RangeError {
  return new RangeError('Cannot read the pick list: expected "A:3,B:1", {"A": 3} or [{"value": "A", "weight": 3}]');
}
