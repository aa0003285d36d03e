/** A sentence model and texts in, a folder with a static model out. */
import { join, resolve } from "node:path";
import type { Progress } from "../../lib/cli/progress.ts";
import { Random } from "../../lib/domain/random.ts";
import { distilModel } from "../../lib/embed/distil/distil_model.ts";
import { domainPhrases } from "../../lib/embed/distil/domain_phrases.ts";
import { modelCard } from "../../lib/embed/distil/model_card.ts";
import { modelFiles, phraseTokenizer } from "../../lib/embed/distil/model_folder.ts";
import { keywordTexts } from "../../lib/embed/distil/keyword_texts.ts";
import { misspellings } from "../../lib/embed/distil/misspelling.ts";
import { modelVersion } from "../../lib/embed/embedder.ts";
import { findModel } from "../../lib/embed/model_source.ts";
import { openStockTokenizer, type StockTokenizer } from "../../lib/embed/static/stock_tokenizer.ts";
import { readTokenizerFile, type TokenizerFile, wordPieceRules } from "../../lib/embed/static/tokenizer_file.ts";
import { Database } from "../../lib/engine/database.ts";
import { storageError, WeirError } from "../../lib/errors.ts";
import type { ModelSettings } from "./capture_settings.ts";
import { hubOptions, startModel } from "./embedding_model.ts";
import { stateFolder } from "../../lib/settings/state_folder.ts";
import { generatedRecords, recordDatasets, recordTexts } from "./generated_texts.ts";

/** What the user asked for. */
export interface DistillationSettings extends ModelSettings {
  readonly texts?: string | undefined;
  readonly out: string;
  readonly dimensions: number;
  readonly phrases: number;
  readonly holders: number;
  readonly payments: number;
  readonly seed: number;
}

/** What a run is given beside its settings. */
export interface DistillationContext {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** The command that does the same again. */
  readonly command: string;
}

/** What came of it. */
export interface DistillationOutcome {
  readonly teacher: string;
  readonly texts: number;
  readonly tokens: number;
  readonly phrases: number;
  readonly dimensions: number;
  readonly bytes: number;
}

/** Of fewer texts the fit learns what they have by chance in common. */
const fewestTexts = 100;

/** A phrase stands in at least this many texts: what fewer share is learnt from its words. */
const minimumTexts = 20;

/** Questions stand beside as many records. */
const recordsPerQuestion = 4;
/** Beside each record as it is. */
const misspellingsPerText = 2;

/** Generated records come from so many seeds, whose people have other names. */
const seeds = 4;

/** The folder that was named. Throws `configuration` where none was: the one model that is surely there is the shipped one. */
export function requireOut(out: string | undefined): string {
  if (out !== undefined) return out;
  throw new WeirError("configuration", "Nothing says where the model is to be written", {
    advice: "Give a folder of its own, such as --out data/models/mine",
  });
}

/** Throws `configuration` where the folder holds a model, which writing another one there would lose. */
export async function requireNoModel(folder: string): Promise<void> {
  for (const name of ["config.json", "tokenizer.json", "model.safetensors"]) {
    const path = join(folder, name);
    const found = await Deno.lstat(path).catch((thrown) => {
      if (thrown instanceof Deno.errors.NotFound) return undefined;
      throw storageError(thrown, path);
    });
    if (found === undefined) continue;
    throw new WeirError("configuration", "There is a model in the folder that is to be written to", {
      detail: { path },
      advice: "Give another folder as --out, or --replace as well: the model that is there is lost then",
    });
  }
}

/** Distils and writes; a folder that is there gets the new files when all are made. */
export async function distilFolder(
  settings: DistillationSettings,
  context: DistillationContext,
): Promise<DistillationOutcome> {
  const corpus = settings.texts === undefined ? await generatedCorpus(settings) : await readLines(settings.texts);
  requireEnough(corpus);
  await using open = new AsyncDisposableStack();
  const teacher = await startModel(settings, context);
  open.defer(() => teacher.close());
  const reader = await openTeacherTokenizer(settings);
  const random = new Random(settings.seed, "variants");
  const below = (bound: number) => random.below(bound);
  const phrases = domainPhrases(corpus, {
    normalise: (text) => reader.pieces.normalise(text),
    isSplit: (word) => reader.pieces.encode(word).length > 1,
    vocabulary: reader.vocabulary,
    minimumTexts,
    maximumPhrases: settings.phrases,
  });
  const { vocabulary } = reader;
  const tokenizer = phraseTokenizer(reader.document, { phrases, vocabularySize: vocabulary.length });
  const table = await distilModel({
    ...reader,
    teacher,
    phrases,
    tokenizer: await openStockTokenizer(readTokenizerFile(JSON.stringify(tokenizer), reader.path)),
    corpus,
    questions: keywordTexts(corpus, { every: recordsPerQuestion, below }),
    variants: misspellings(corpus, { perText: misspellingsPerText, below }),
    dimensions: settings.dimensions,
    signal: context.signal,
    note: (text) => {
      // Otherwise the end of what was done before would stand behind what is done next.
      context.progress.end();
      context.progress.note(text);
    },
    progress: (rows, totalRows) => context.progress.update({ activity: "asking the teacher", rows, totalRows }),
  });
  const outcome = {
    teacher: modelVersion(teacher.model),
    texts: corpus.length,
    tokens: vocabulary.length + phrases.length,
    phrases: phrases.length,
    dimensions: settings.dimensions,
  };
  const origin = settings.texts === undefined
    ? `generated account holders and payments, seeds ${settings.seed} to ${settings.seed + seeds - 1}`
    : "record texts of its maker";
  const card = modelCard({ ...outcome, corpus: origin, command: context.command });
  const files = modelFiles({ tokenizer, table, teacher: outcome.teacher, card });
  return { ...outcome, bytes: await writeFiles(settings.out, files) };
}

/** The teacher's own tokenizer and what is known of its tokens. */
interface TeacherTokenizer {
  readonly path: string;
  readonly document: TokenizerFile;
  readonly pieces: StockTokenizer;
  readonly vocabulary: readonly string[];
  readonly continuingPrefix: string;
  readonly unknownToken: number;
}

/** The files are there: the teacher has been started from them. */
async function openTeacherTokenizer(settings: DistillationSettings): Promise<TeacherTokenizer> {
  const { model: teacher, modelDtype: dtype } = settings;
  const source = await findModel(teacher, { dtype, hub: { ...hubOptions(settings), offline: true } });
  if (source.kind !== "transformer") {
    throw new WeirError("configuration", `Cannot distil ${teacher}: it is no sentence model`, {
      advice:
        "Give a transformer as --model, such as sentence-transformers/all-MiniLM-L6-v2: a static model has nothing to " +
        "teach that its own table does not say",
    });
  }
  const path = join(source.folder, "tokenizer.json");
  const document = readTokenizerFile(await readText(path), path);
  const rules = wordPieceRules(document);
  if (rules === undefined) {
    throw new WeirError("configuration", `Cannot distil ${teacher}: only a model with a WordPiece tokenizer can be`);
  }
  return {
    path,
    document,
    pieces: await openStockTokenizer(readTokenizerFile(JSON.stringify(phraseTokenizer(document, noPhrases)), path)),
    vocabulary: Object.entries(rules.vocabulary).toSorted(([, left], [, right]) => left - right).map(([token]) =>
      token
    ),
    continuingPrefix: rules.continuingPrefix,
    unknownToken: rules.vocabulary[rules.unknownToken] ?? -1,
  };
}

const noPhrases = { phrases: [], vocabularySize: 0 };

async function generatedCorpus({ seed, holders, payments }: DistillationSettings): Promise<readonly string[]> {
  await Deno.mkdir(stateFolder, { recursive: true });
  const folder = await Deno.makeTempDir({ dir: resolve(stateFolder), prefix: "distill_" });
  const database = await Database.open({ folders: [], temporaryFolder: folder });
  try {
    const connection = await database.connect();
    const texts = [];
    for (let world = 0; world < seeds; world++) {
      const share = (count: number) => Math.ceil(count / seeds);
      const records = await generatedRecords({
        seed: seed + world,
        holders: share(holders),
        payments: share(payments),
      });
      for (const name of ["holders", "payments"] as const) {
        const rows = { dataset: recordDatasets[name], rows: records[name] };
        texts.push(...await recordTexts(connection, { ...rows, form: "compact" }));
      }
    }
    connection.close();
    return texts;
  } finally {
    database.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function readLines(file: string): Promise<readonly string[]> {
  const lines = (await readText(file)).split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return lines;
}

function requireEnough({ length }: readonly string[]): void {
  if (length >= fewestTexts) return;
  throw new WeirError("configuration", `A model cannot be fitted to ${length} texts`, {
    advice:
      `Give ${fewestTexts} or more, better thousands: one on each line of --texts, or with --holders and --payments`,
  });
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (thrown) {
    throw storageError(thrown, path);
  }
}

async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array | string>): Promise<number> {
  let bytes = 0;
  try {
    await Deno.mkdir(folder, { recursive: true });
    for (const [name, content] of files) {
      const encoded = typeof content === "string" ? new TextEncoder().encode(content) : content;
      bytes += encoded.length;
      await Deno.writeFile(join(folder, name), encoded);
    }
  } catch (thrown) {
    throw storageError(thrown, folder);
  }
  return bytes;
}
