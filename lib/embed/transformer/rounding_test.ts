import assert from "node:assert/strict";
import { join } from "node:path";
import { tinyModelFiles, tinyRoundingModel } from "../../testing/tiny_model.ts";
import { withTemporaryFolder } from "../../testing/temporary_folder.ts";
import { roundsByBatch } from "./rounding.ts";

Deno.test("an operator that rounds by the batch is found wherever it stands in the file, and in no other file", () =>
  withTemporaryFolder(async (folder) => {
    const path = join(folder, "model.onnx");
    const rounds = async (content: Uint8Array) => {
      await Deno.writeFile(path, content);
      return await roundsByBatch(path);
    };
    assert.equal(await rounds(tinyModelFiles()["onnx/model.onnx"] as Uint8Array), false);
    assert.equal(await rounds(tinyRoundingModel()), true);
    const name = new TextEncoder().encode("DynamicQuantizeMatMul");
    const mebibyte = 2 ** 20;
    for (const before of [0, 7, mebibyte - 7, mebibyte, mebibyte + 7, 2 * mebibyte - 7, 3 * mebibyte]) {
      const content = new Uint8Array(before + name.length + 9);
      assert.equal(await rounds(content), false);
      content.set(name, before);
      assert.equal(await rounds(content), true, `${before} bytes before it`);
    }
    await assert.rejects(roundsByBatch(join(folder, "none")), { kind: "storage" });
  }));
