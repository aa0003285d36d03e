/**
 * From a vector per token to one per text, as sentence-transformers does it, always scaled to length 1.
 *
 * The names are those of the `pooling_mode_*` keys in a model's `1_Pooling/config.json`.
 */

/** How token vectors become one. */
export type PoolingMode = "mean" | "cls" | "max" | "lasttoken" | "weightedmean" | "mean_sqrt_len";

/** All modes. */
export const poolingModes: readonly PoolingMode[] = [
  "mean",
  "cls",
  "max",
  "lasttoken",
  "weightedmean",
  "mean_sqrt_len",
];

/** Token vectors of one text: `tokens × size` floats, padding left out. */
export interface TokenVectors {
  readonly values: Float32Array;
  readonly tokens: number;
  readonly size: number;
}

/** Fills `modes × size` floats: one pooled vector after another. */
export function pool(text: TokenVectors, modes: readonly PoolingMode[], into: Float32Array): void {
  modes.forEach((mode, index) => poolers[mode](text, into.subarray(index * text.size, (index + 1) * text.size)));
}

/** Scales to length 1 (L2). What is wrong with the vector where that cannot be done. */
export function normalise(vector: Float32Array): string | undefined {
  let squares = 0;
  for (let index = 0; index < vector.length; index++) squares += vector[index]! * vector[index]!;
  if (!Number.isFinite(squares)) return "the model gave a vector that is not finite";
  if (squares === 0) return "the model gave a vector of zeros";
  const scale = 1 / Math.sqrt(squares);
  for (let index = 0; index < vector.length; index++) vector[index]! *= scale;
  return undefined;
}

type Pooler = (text: TokenVectors, into: Float32Array) => void;

const poolers: Readonly<Record<PoolingMode, Pooler>> = {
  cls: ({ values, size }, into) => into.set(values.subarray(0, size)),
  lasttoken: ({ values, tokens, size }, into) => into.set(values.subarray((tokens - 1) * size, tokens * size)),
  mean: (text, into) => weighted(text, into, { weight: () => 1, total: text.tokens }),
  mean_sqrt_len: (text, into) => weighted(text, into, { weight: () => 1, total: Math.sqrt(text.tokens) }),
  weightedmean: (text, into) =>
    weighted(text, into, { weight: (token) => token + 1, total: text.tokens * (text.tokens + 1) / 2 }),
  max: ({ values, tokens, size }, into) => {
    into.fill(-Infinity);
    for (let index = 0; index < tokens * size; index++) {
      const at = index % size;
      if (values[index]! > into[at]!) into[at] = values[index]!;
    }
  },
};

function weighted(
  { values, tokens, size }: TokenVectors,
  into: Float32Array,
  { weight, total }: { readonly weight: (token: number) => number; readonly total: number },
): void {
  const sums = new Float64Array(size);
  for (let token = 0; token < tokens; token++) {
    const factor = weight(token);
    const from = token * size;
    for (let at = 0; at < size; at++) sums[at]! += factor * values[from + at]!;
  }
  for (let at = 0; at < size; at++) into[at] = sums[at]! / total;
}
