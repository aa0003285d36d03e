/** What sentence-transformers does with a text before and after the transformer, read from the files it keeps beside a model. */
import { join } from "node:path";
import { WeirError } from "../../errors.ts";
import { integerOf, type JsonObject, readModelJson, readModelObject, textOf } from "./model_file.ts";
import { type PoolingMode, poolingModes } from "./pooling.ts";
import type { ReadingRules } from "./text_tokenizer.ts";

/** Files that say how a model is used, beside those in the folders that `modules.json` names. */
export const usageFiles: readonly string[] = [
  "config.json",
  "modules.json",
  "sentence_bert_config.json",
  "config_sentence_transformers.json",
  "tokenizer.json",
  "tokenizer_config.json",
];

/** How a sentence model is used. */
export interface SentenceModules {
  readonly pooling: readonly PoolingMode[];
  readonly rules: ReadingRules;
}

interface Module {
  /** `Transformer`, `Pooling`, `Normalize`: the last part of its Python class. */
  readonly name: string;
  /** Folder of its own files, from the model's. */
  readonly path: string;
}

/** Modules that are understood. Normalising is none of our choice: every vector has length 1. */
const knownModules = ["Transformer", "Pooling", "Normalize"];

/**
 * Reads how the model of a folder is used.
 *
 * @param pooling What the user asked for, in place of what the model says.
 * @throws {WeirError} `configuration` where a file that is needed is missing, or asks for something that is not done here.
 */
export async function readSentenceModules(folder: string, pooling?: PoolingMode): Promise<SentenceModules> {
  const modules = await readModules(folder);
  const unknown = modules?.find(({ name }) => !knownModules.includes(name));
  if (unknown !== undefined) {
    throw new WeirError("configuration", `The model has a ${unknown.name} module, which cannot be run here`, {
      detail: { path: join(folder, "modules.json") },
      advice: `Choose a model of the modules ${knownModules.join(", ")} alone`,
    });
  }
  const rules = await readRules(folder, modules);
  return { pooling: pooling === undefined ? await readPooling(folder, modules, rules) : [pooling], rules };
}

/** The modules in order; undefined for a plain transformer. */
async function readModules(folder: string): Promise<readonly Module[] | undefined> {
  const read = await readModelJson(folder, "modules.json");
  if (read === undefined) return undefined;
  const modules = Array.isArray(read) ? read.map(moduleOf) : [];
  if (modules.length > 0 && modules.every((module) => module !== undefined)) return modules;
  throw new WeirError("configuration", "The model's modules.json does not list its modules", {
    detail: { path: join(folder, "modules.json") },
  });
}

function moduleOf(entry: unknown): Module | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const type = textOf(entry as JsonObject, "type");
  return type === undefined
    ? undefined
    : { name: type.split(".").at(-1)!, path: textOf(entry as JsonObject, "path") ?? "" };
}

async function readPooling(
  folder: string,
  modules: readonly Module[] | undefined,
  { prompt }: ReadingRules,
): Promise<readonly PoolingMode[]> {
  const module = modules?.find(({ name }) => name === "Pooling");
  if (module === undefined) {
    const missing = modules === undefined ? "has no modules.json" : "has no Pooling module";
    throw new WeirError(
      "configuration",
      `The model ${missing}, so that how its token vectors become one is not known`,
      {
        detail: { path: folder },
        advice: "Say it with --model-pooling (most models of this kind take mean), as the model's own page has it",
      },
    );
  }
  const name = `${module.path}/config.json`;
  const config = await readModelObject(folder, name);
  if (prompt !== "" && config["include_prompt"] === false) {
    throw new WeirError("configuration", `The model's ${name} leaves the prompt out of the vector: not done here`, {
      detail: { path: join(folder, name) },
    });
  }
  const asked = Object.keys(config).filter((key) => key.startsWith("pooling_mode_") && config[key] === true)
    .map((key) => key.slice("pooling_mode_".length).replace(/_tokens?$/, ""));
  const modes = asked.length > 0 ? asked : [textOf(config, "pooling_mode") ?? "none"];
  const unknown = modes.find((mode) => !poolingModes.some((known) => known === mode));
  if (unknown === undefined) return modes as readonly PoolingMode[];
  throw new WeirError("configuration", `The model's ${name} asks for the pooling "${unknown}", which is not known`, {
    detail: { path: join(folder, name) },
  });
}

async function readRules(folder: string, modules: readonly Module[] | undefined): Promise<ReadingRules> {
  const own = modules?.find(({ name }) => name === "Transformer")?.path ?? "";
  const sentence = await readModelObject(folder, join(own, "sentence_bert_config.json"));
  const usage = await readModelObject(folder, "config_sentence_transformers.json");
  const limits = [
    integerOf(await readModelObject(folder, "config.json"), "max_position_embeddings"),
    integerOf(await readModelObject(folder, "tokenizer_config.json"), "model_max_length"),
  ].filter((limit) => limit !== undefined);
  const maxTokens = integerOf(sentence, "max_seq_length") ?? Math.min(...limits);
  if (!Number.isSafeInteger(maxTokens)) {
    throw new WeirError("configuration", "No file of the model says how many tokens it reads", {
      detail: { path: folder },
      advice: "Add max_seq_length to its sentence_bert_config.json",
    });
  }
  return { maxTokens, prompt: defaultPrompt(usage), lowerCase: sentence["do_lower_case"] === true };
}

function defaultPrompt(usage: JsonObject): string {
  const name = textOf(usage, "default_prompt_name");
  const prompts = usage["prompts"];
  if (name === undefined || typeof prompts !== "object" || prompts === null) return "";
  return textOf(prompts as JsonObject, name) ?? "";
}
