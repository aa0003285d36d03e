/** Loads a model's tokenizer. */
import { join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { WeirError } from "../../errors.ts";
import { forLowerCase } from "../lower_case.ts";
import { requireKnownModel, unusableTokenizer } from "../static/tokenizer_file.ts";
import { readModelObject } from "./model_file.ts";
import { type ReadingRules, TextTokenizer } from "./text_tokenizer.ts";

/** @throws {WeirError} `configuration` for a tokenizer that is not known. */
export async function loadTokenizer(folder: string, rules: ReadingRules): Promise<TextTokenizer> {
  const tokenizer = await readModelObject(folder, "tokenizer.json");
  const path = join(folder, "tokenizer.json");
  requireKnownModel(tokenizer.model, path);
  const config = await readModelObject(folder, "tokenizer_config.json");
  try {
    const prepared = forLowerCase(tokenizer.normalizer);
    return new TextTokenizer({ tokenizer: new Tokenizer(tokenizer, config), prepared }, rules);
  } catch (thrown) {
    throw thrown instanceof WeirError ? thrown : unusableTokenizer(thrown, path);
  }
}
