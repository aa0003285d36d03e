import assert from "node:assert/strict";
import { join } from "node:path";
import { smallTokenizer } from "../testing/static_model_files.ts";
import { withTemporaryFolder } from "../testing/temporary_folder.ts";
import { openStockTokenizer } from "./static/stock_tokenizer.ts";
import { readTokenizerFile } from "./static/tokenizer_file.ts";
import { loadTokenizer } from "./transformer/load_tokenizer.ts";

const bert = JSON.parse(smallTokenizer());
const normalizers = {
  "BERT's": bert.normalizer,
  "of several steps": { type: "Sequence", normalizers: [{ type: "NFC" }, { type: "Lowercase" }] },
};

for (const [name, normalizer] of Object.entries(normalizers)) {
  Deno.test(`a capital sigma at a word's end becomes the one that models have learnt, static and transformer (normalizer ${name})`, () =>
    withTemporaryFolder(async (folder) => {
      const text = JSON.stringify({ ...bert, normalizer });
      await Deno.writeTextFile(join(folder, "tokenizer.json"), text);
      const wanted = [bert.model.vocab["οδοσ"], bert.model.vocab["οδος"]];
      const stock = await openStockTokenizer(readTokenizerFile(text, "tokenizer.json"));
      assert.deepEqual(stock.encode("ΟΔΟΣ οδος"), wanted);
      const tokenizer = await loadTokenizer(folder, { maxTokens: 8, prompt: "", lowerCase: false });
      assert.deepEqual(tokenizer.read("ΟΔΟΣ οδος").ids, wanted);
    }));
}
