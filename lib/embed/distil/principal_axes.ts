/**
 * The directions in which vectors differ most, by eigenvectors of their second moment.
 *
 * The vectors are not centred: a static model adds vectors up and compares directions, and both survive a projection through
 * the origin only. The first axis is then about the mean, which all vectors share.
 */

/** Vectors of one size, one behind another. */
export interface Vectors {
  readonly dimensions: number;
  readonly values: Float32Array;
}

/** Vectors that shape the axes, and how much they count against the others. */
export interface WeightedVectors extends Vectors {
  readonly weight: number;
}

/** Rotations go on until the largest entry beside the diagonal is this small against the largest on it. */
const converged = 1e-12;
/** Jacobi's method needs about ten; it always converges, so this only keeps a defect from running for ever. */
const sweepsMax = 60;

/**
 * The first axes of several sets of vectors, `dimensions × axes`: row by row what a coordinate gives to each axis. The
 * largest component of every axis is positive, so that there is one answer.
 *
 * @throws {RangeError} If there are fewer dimensions than axes, or sets of different sizes.
 */
export function principalAxes(sets: readonly WeightedVectors[], axes: number): Float64Array {
  const dimensions = sets[0]?.dimensions ?? 0;
  if (axes > dimensions) throw new RangeError(`Cannot find ${axes} axes in ${dimensions} dimensions`);
  if (sets.some((set) => set.dimensions !== dimensions)) throw new RangeError("Cannot compare vectors of two sizes");
  const moment = new Float64Array(dimensions * dimensions);
  for (const set of sets) addMoment(set, moment);
  const { values, vectors } = symmetricEigenvectors(moment, dimensions);
  const order = Array.from({ length: dimensions }, (_, index) => index)
    .toSorted((left, right) => values[right]! - values[left]! || left - right)
    .slice(0, axes);
  const found = new Float64Array(dimensions * axes);
  order.forEach((from, axis) => {
    const sign = signOf(vectors, { from, dimensions });
    for (let row = 0; row < dimensions; row++) found[row * axes + axis] = sign * vectors[row * dimensions + from]!;
  });
  return found;
}

/** Vectors along the axes of {@linkcode principalAxes}. */
export function project({ dimensions, values }: Vectors, axes: Float64Array): Float64Array {
  const width = axes.length / dimensions;
  const rows = values.length / dimensions;
  const found = new Float64Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let coordinate = 0; coordinate < dimensions; coordinate++) {
      const value = values[row * dimensions + coordinate]!;
      for (let axis = 0; axis < width; axis++) found[row * width + axis]! += value * axes[coordinate * width + axis]!;
    }
  }
  return found;
}

function addMoment({ dimensions, values, weight }: WeightedVectors, moment: Float64Array): void {
  const share = weight * dimensions / values.length;
  for (let start = 0; start < values.length; start += dimensions) {
    for (let row = 0; row < dimensions; row++) {
      const value = share * values[start + row]!;
      for (let column = 0; column < dimensions; column++) {
        moment[row * dimensions + column]! += value * values[start + column]!;
      }
    }
  }
}

function signOf(
  vectors: Float64Array,
  { from, dimensions }: { readonly from: number; readonly dimensions: number },
): number {
  let largest = 0;
  for (let row = 0; row < dimensions; row++) {
    const value = vectors[row * dimensions + from]!;
    if (Math.abs(value) > Math.abs(largest)) largest = value;
  }
  return largest < 0 ? -1 : 1;
}

/**
 * Eigenvalues, and eigenvectors as columns, of a symmetric matrix, which is overwritten: cyclic Jacobi rotations (Golub and
 * Van Loan, "Matrix Computations", §8.5). Every step is plain arithmetic in a fixed order, so every machine finds the same.
 */
function symmetricEigenvectors(
  matrix: Float64Array,
  size: number,
): { readonly values: Float64Array; readonly vectors: Float64Array } {
  const vectors = new Float64Array(size * size);
  for (let index = 0; index < size; index++) vectors[index * size + index] = 1;
  for (let sweep = 0; sweep < sweepsMax && !isDiagonal(matrix, size); sweep++) {
    for (let first = 0; first < size; first++) {
      for (let second = first + 1; second < size; second++) rotate(matrix, vectors, { first, second, size });
    }
  }
  return { values: Float64Array.from({ length: size }, (_, index) => matrix[index * size + index]!), vectors };
}

function isDiagonal(matrix: Float64Array, size: number): boolean {
  let diagonal = 0;
  let beside = 0;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const value = Math.abs(matrix[row * size + column]!);
      if (row === column) diagonal = Math.max(diagonal, value);
      else beside = Math.max(beside, value);
    }
  }
  return beside <= converged * diagonal;
}

/** Turns the plane of two axes so that nothing joins them any more. Both matrices are kept so that rows are what moves. */
function rotate(
  matrix: Float64Array,
  vectors: Float64Array,
  { first, second, size }: { readonly first: number; readonly second: number; readonly size: number },
): void {
  const joint = matrix[first * size + second]!;
  if (joint === 0) return;
  const slope = (matrix[second * size + second]! - matrix[first * size + first]!) / (2 * joint);
  const tangent = (slope >= 0 ? 1 : -1) / (Math.abs(slope) + Math.sqrt(slope * slope + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const turn = { cosine, sine: tangent * cosine };
  turnRows(matrix, { first: first * size, second: second * size, step: 1, size }, turn);
  turnRows(matrix, { first, second, step: size, size }, turn);
  turnRows(vectors, { first, second, step: size, size }, turn);
}

function turnRows(
  matrix: Float64Array,
  place: { readonly first: number; readonly second: number; readonly step: number; readonly size: number },
  { cosine, sine }: { readonly cosine: number; readonly sine: number },
): void {
  for (let index = 0; index < place.size; index++) {
    const one = place.first + index * place.step;
    const other = place.second + index * place.step;
    const left = matrix[one]!;
    const right = matrix[other]!;
    matrix[one] = cosine * left - sine * right;
    matrix[other] = sine * left + cosine * right;
  }
}
