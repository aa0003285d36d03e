import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import { readSentenceModules } from "./sentence_modules.ts";

type Files = Readonly<Record<string, unknown>>;

const modules = ["Transformer", "Pooling", "Normalize"].map((name, idx) => ({
  idx,
  path: idx === 0 ? "" : `${idx}_${name}`,
  type: `sentence_transformers.models.${name}`,
}));
const usual: Files = {
  "config.json": { max_position_embeddings: 514 },
  "tokenizer_config.json": { model_max_length: 512 },
  "modules.json": modules,
  "1_Pooling/config.json": { pooling_mode_cls_token: false, pooling_mode_mean_tokens: true },
};

function usageOf(files: Files, pooling?: "cls") {
  return withTemporaryFolder(async (folder) => {
    for (const [name, content] of Object.entries(files)) {
      if (content === undefined) continue;
      await Deno.mkdir(join(folder, dirname(name)), { recursive: true });
      await Deno.writeTextFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
    }
    return await readSentenceModules(folder, pooling);
  });
}

Deno.test("how a model reads and pools is taken from its own files", async () => {
  assert.deepEqual(await usageOf(usual), {
    pooling: ["mean"],
    rules: { maxTokens: 512, prompt: "", lowerCase: false },
  });
  const more = {
    ...usual,
    "sentence_bert_config.json": { max_seq_length: 128, do_lower_case: true },
    "config_sentence_transformers.json": { prompts: { query: "query: ", document: "" }, default_prompt_name: "query" },
    "1_Pooling/config.json": { pooling_mode_cls_token: true, pooling_mode_mean_sqrt_len_tokens: true },
  };
  assert.deepEqual(await usageOf(more), {
    pooling: ["cls", "mean_sqrt_len"],
    rules: { maxTokens: 128, prompt: "query: ", lowerCase: true },
  });
});

Deno.test("every name that poolings go by is read", async () => {
  const names = {
    pooling_mode_cls_token: "cls",
    pooling_mode_mean_tokens: "mean",
    pooling_mode_max_tokens: "max",
    pooling_mode_mean_sqrt_len_tokens: "mean_sqrt_len",
    pooling_mode_weightedmean_tokens: "weightedmean",
    pooling_mode_lasttoken: "lasttoken",
  };
  for (const [key, mode] of Object.entries(names)) {
    assert.deepEqual((await usageOf({ ...usual, "1_Pooling/config.json": { [key]: true } })).pooling, [mode]);
  }
  assert.deepEqual((await usageOf({ ...usual, "1_Pooling/config.json": { pooling_mode: "mean" } })).pooling, ["mean"]);
});

Deno.test("what the user says of the pooling holds, also where the model says nothing", async () => {
  const plain = { "config.json": { max_position_embeddings: 512 } };
  assert.deepEqual((await usageOf(plain, "cls")).pooling, ["cls"]);
  assert.deepEqual((await usageOf(usual, "cls")).pooling, ["cls"]);
});

Deno.test("what is missing, unknown or broken in a model's files is named, with the file", async () => {
  const wrong: readonly (readonly [Files, RegExp])[] = [
    [{ ...usual, "modules.json": undefined }, /has no modules\.json/],
    [{ ...usual, "modules.json": [modules[0], modules[2]] }, /has no Pooling module/],
    [
      { ...usual, "modules.json": [...modules, { path: "3_Dense", type: "sentence_transformers.models.Dense" }] },
      /Dense/,
    ],
    [{ ...usual, "modules.json": {} }, /modules\.json does not list/],
    [{ ...usual, "1_Pooling/config.json": { pooling_mode_attention: true } }, /pooling "attention"/],
    [{ ...usual, "1_Pooling/config.json": undefined }, /pooling "none"/],
    [{ ...usual, "config.json": "{" }, /config\.json is not JSON/],
    [{ ...usual, "config.json": "[]" }, /config\.json does not hold an object/],
    [{ ...usual, "config.json": {}, "tokenizer_config.json": { model_max_length: 1e30 } }, /how many tokens/],
    [
      {
        ...usual,
        "1_Pooling/config.json": { pooling_mode_mean_tokens: true, include_prompt: false },
        "config_sentence_transformers.json": { prompts: { query: "query: " }, default_prompt_name: "query" },
      },
      /leaves the prompt out/,
    ],
  ];
  for (const [files, message] of wrong) await assert.rejects(usageOf(files), { kind: "configuration", message });
});
