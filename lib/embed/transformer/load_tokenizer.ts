/** Loads a model's tokenizer. */
import { Tokenizer } from "@huggingface/tokenizers";
import { WeirError } from "../../errors.ts";
import { forLowerCase } from "../lower_case.ts";
import { readModelObject } from "./model_file.ts";
import { type ReadingRules, TextTokenizer } from "./text_tokenizer.ts";

/** @throws {WeirError} `configuration` for a tokenizer that is not known. */
export async function loadTokenizer(folder: string, rules: ReadingRules): Promise<TextTokenizer> {
  const tokenizer = await readModelObject(folder, "tokenizer.json");
  const config = await readModelObject(folder, "tokenizer_config.json");
  try {
    const prepared = forLowerCase(tokenizer.normalizer);
    return new TextTokenizer({ tokenizer: new Tokenizer(tokenizer, config), prepared }, rules);
  } catch (thrown) {
    if (thrown instanceof WeirError) throw thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new WeirError("configuration", `The model's tokenizer.json cannot be used: ${reason}`, {
      cause: thrown,
      detail: { path: folder },
    });
  }
}
