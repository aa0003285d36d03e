/** model2vec, whose models static models are, makes the same tokens and vectors of the same texts and files. */
import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { textBatch } from "../../lib/embed/embedder.ts";
import { loadStaticModel } from "../../lib/embed/static/load_static_model.ts";
import { TextTokenizer } from "../../lib/embed/static/text_tokenizer.ts";
import { readTokenizerFile } from "../../lib/embed/static/tokenizer_file.ts";
import {
  scattered,
  smallTokenizer,
  type StaticModelFiles,
  tensorOf,
  tokensOf,
  writeStaticModel,
} from "../../lib/testing/static_model_files.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import type { Python } from "./python.ts";
import { pythonTest } from "./python_env.ts";

interface PythonVectors {
  readonly ids: readonly (readonly number[])[];
  readonly vectors: readonly (readonly number[])[];
  readonly dimensions: number;
}

const phrases = ["cape town", "town hall", "card payment", "p.o. box", "cafe noir", "x y z", "amount: large"];
const tokenizer = smallTokenizer({ phrases });
const tokens = tokensOf(tokenizer);
const dimensions = 24;

const units = [
  ..."First name: Edith. |Amount: large. |City: Cape Town. |P.O. Box 12|discard payments|town hall|townships|café noir"
    .split("|"),
  ...[
    "card payment",
    "19.20",
    "2026-07-30",
    "qqq",
    "q",
    "absa",
    "x y z",
    "[CLS]",
    "[UNK]",
    "[cls]",
    "##ing",
    "a".repeat(101),
  ],
  ...[" ", "  ", ". ", ".", ":", "-", "'", "\t", "\n", "\r\n", "\0", "\x0b", "\x1f", "\x7f", "~", "`", "_"],
  ...["é", "É", "e\u0301", "Straße", "東京", "🙂", "\u00a0", "\u2003", "“", "ñ", "ΟΔΟΣ", "ё", "한국"],
];

/** Texts that fast-check makes of a fixed seed, and some in which every kind of byte stands. */
function texts(count: number): string[] {
  const text = fc.oneof(
    fc.array(fc.constantFrom(...units), { minLength: 1, maxLength: 40 }).map((parts) => `a${parts.join("")}`),
    fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 80 }).map((text) => `a ${text}`),
  );
  return fc.sample(text, { numRuns: count, seed: 4 });
}

const embeddings = tensorOf("F32", [tokens, dimensions], scattered(tokens * dimensions, 1));
const integers = scattered(tokens * dimensions, 2).map((value) => Math.trunc(value * 128));
const rows = 50;
const quantised = {
  embeddings: tensorOf("F32", [rows, dimensions], scattered(rows * dimensions, 3)),
  weights: tensorOf("F32", [tokens], scattered(tokens, 4)),
  mapping: tensorOf("I64", [tokens], Array.from({ length: tokens }, (_, token) => token * 7 % rows)),
};

const variants: Readonly<Record<string, { readonly files: StaticModelFiles; readonly tolerance: number }>> = {
  "floats": { files: { tokenizer, tensors: { embeddings } }, tolerance: 1e-6 },
  "bytes": {
    files: { tokenizer, tensors: { embeddings: tensorOf("I8", [tokens, dimensions], integers) } },
    tolerance: 1e-6,
  },
  // model2vec brings vectors to length 1 in the table's own precision.
  "half floats": {
    files: {
      tokenizer,
      tensors: { embeddings: tensorOf("F16", [tokens, dimensions], scattered(tokens * dimensions, 1)) },
    },
    tolerance: 2e-3,
  },
  "shared rows with weights": { files: { tokenizer, tensors: quantised }, tolerance: 1e-6 },
  "shared rows of bytes with weights": {
    files: {
      tokenizer,
      tensors: {
        ...quantised,
        embeddings: tensorOf("I8", [rows, dimensions], integers.subarray(0, rows * dimensions)),
      },
    },
    tolerance: 1e-6,
  },
  "texts cut short": { files: { tokenizer, tensors: { embeddings }, config: { max_length: 12 } }, tolerance: 1e-6 },
};

for (const [name, { files, tolerance }] of Object.entries(variants)) {
  await pythonTest(
    `a model of ${name} gives the vectors that model2vec gives`,
    (python) =>
      withTemporaryFolder(async (folder) => {
        await writeStaticModel(folder, files);
        await compare(python, { folder, texts: texts(300), tolerance });
      }),
  );
}

async function compare(
  python: Python,
  { folder, texts, tolerance }: {
    readonly folder: string;
    readonly texts: readonly string[];
    readonly tolerance: number;
  },
): Promise<void> {
  const file = join(folder, "texts.json");
  await Deno.writeTextFile(file, JSON.stringify(texts));
  const theirs = await python.run<PythonVectors>({ script: "static_model.py", args: [folder, file] });
  const { model, embedInto } = await loadStaticModel({ folder, id: "compared", revision: "1" });
  assert.equal(model.dimensions, theirs.dimensions);
  const path = join(folder, "tokenizer.json");
  const ours = await TextTokenizer.open(readTokenizerFile(await Deno.readTextFile(path), path));
  const vectors = new Float32Array(texts.length * model.dimensions);
  const failures = new Set((await embedInto(textBatch(texts), vectors)).map(({ text }) => text));
  texts.forEach((text, index) => {
    const bytes = new TextEncoder().encode(text);
    assert.deepEqual(idsOf(ours, bytes), theirs.ids[index], JSON.stringify(text));
    assert.equal(failures.has(index), theirs.vectors[index]!.every((value) => value === 0), JSON.stringify(text));
    if (failures.has(index)) return;
    theirs.vectors[index]!.forEach((value, column) => {
      const difference = Math.abs(vectors[index * model.dimensions + column]! - value);
      assert.ok(difference <= tolerance, `${JSON.stringify(text)}: column ${column} is ${difference} off`);
    });
  });
}

function idsOf(tokenizer: TextTokenizer, bytes: Uint8Array): number[] {
  const count = tokenizer.tokenize(bytes, 0, bytes.length);
  return [...tokenizer.ids.subarray(0, count)].filter((id) => id !== tokenizer.unknown);
}
