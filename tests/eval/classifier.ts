/** A simple classifier and how well it puts the positives first. */

/** Rows of numbers, each with a label. */
export interface Labelled {
  readonly features: readonly Float64Array[];
  readonly labels: readonly boolean[];
}

/** Logistic regression with an L2 penalty, features brought to mean 0 and deviation 1 by the training rows. */
export function logisticScores(train: Labelled, test: readonly Float64Array[]): Float64Array {
  const scale = scaleOf(train.features);
  const rows = train.features.map(scale);
  const weights = fitLogistic(rows, train.labels);
  return Float64Array.from(test, (row) => margin(scale(row), weights));
}

/** Area under the curve of precision over recall (average precision): of a random order the share of positives, of a perfect one 1. */
export function averagePrecision(scores: Float64Array, labels: readonly boolean[]): number {
  const order = Uint32Array.from(scores, (_, index) => index)
    .sort((left, right) => scores[right]! - scores[left]! || left - right);
  let found = 0;
  let sum = 0;
  order.forEach((row, place) => {
    if (labels[row]) sum += ++found / (place + 1);
  });
  return sum / found;
}

const penalty = 1;
const stepsMax = 30;
const smallestStep = 1e-6;

/** Newton's method; the last weight is the constant. */
function fitLogistic(rows: readonly Float64Array[], labels: readonly boolean[]): Float64Array {
  const size = (rows[0]?.length ?? 0) + 1;
  const weights = new Float64Array(size);
  for (let step = 0; step < stepsMax; step++) {
    const gradient = weights.map((weight, index) => index === size - 1 ? 0 : -penalty * weight);
    const curvature = Array.from(
      { length: size },
      (_, row) =>
        new Float64Array(size).fill(0).map((_, column) =>
          row === column && row < size - 1 ? penalty : row === column ? 1e-9 : 0
        ),
    );
    rows.forEach((row, index) => {
      const share = 1 / (1 + Math.exp(-margin(row, weights)));
      const off = (labels[index] ? 1 : 0) - share;
      const bend = Math.max(share * (1 - share), 1e-9);
      for (let one = 0; one < size; one++) {
        const value = one === size - 1 ? 1 : row[one]!;
        gradient[one]! += off * value;
        if (value === 0) continue;
        for (let other = 0; other <= one; other++) {
          curvature[one]![other]! += bend * value * (other === size - 1 ? 1 : row[other]!);
        }
      }
    });
    const move = solvePositive(curvature, gradient);
    let largest = 0;
    move.forEach((value, index) => {
      weights[index]! += value;
      largest = Math.max(largest, Math.abs(value));
    });
    if (largest < smallestStep) break;
  }
  return weights;
}

function margin(row: Float64Array, weights: Float64Array): number {
  let sum = weights[row.length]!;
  for (let index = 0; index < row.length; index++) sum += row[index]! * weights[index]!;
  return sum;
}

/** Solves a positive definite system by Cholesky's decomposition; of the matrix only the lower half is read, and it is overwritten. */
function solvePositive(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const size = right.length;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row]![column]!;
      for (let index = 0; index < column; index++) sum -= matrix[row]![index]! * matrix[column]![index]!;
      matrix[row]![column] = row === column ? Math.sqrt(sum) : sum / matrix[column]![column]!;
    }
  }
  const solution = Float64Array.from(right);
  for (let row = 0; row < size; row++) {
    for (let index = 0; index < row; index++) solution[row]! -= matrix[row]![index]! * solution[index]!;
    solution[row]! /= matrix[row]![row]!;
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let index = row + 1; index < size; index++) solution[row]! -= matrix[index]![row]! * solution[index]!;
    solution[row]! /= matrix[row]![row]!;
  }
  return solution;
}

function scaleOf(rows: readonly Float64Array[]): (row: Float64Array) => Float64Array {
  const size = rows[0]?.length ?? 0;
  const mean = new Float64Array(size);
  const deviation = new Float64Array(size);
  for (const row of rows) row.forEach((value, index) => mean[index]! += value / rows.length);
  for (const row of rows) row.forEach((value, index) => deviation[index]! += (value - mean[index]!) ** 2 / rows.length);
  return (row) =>
    row.map((value, index) => deviation[index]! > 0 ? (value - mean[index]!) / Math.sqrt(deviation[index]!) : 0);
}
