/** WebAssembly that is committed beside the text it was assembled from. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import wabt from "wabt";

/** Fails unless `<name>.wasm` is what `<name>.wat` assembles to; `WEIR_GOLDEN_WRITE=1` assembles it anew. */
export async function assertAssembled(text: URL): Promise<void> {
  const module = (await wabt()).parseWat(text.pathname, await Deno.readTextFile(text), { simd: true });
  module.validate();
  const assembled = new Uint8Array(module.toBinary({}).buffer);
  const binary = fileURLToPath(text).replace(/\.wat$/, ".wasm");
  if (Deno.env.get("WEIR_GOLDEN_WRITE") === "1") await Deno.writeFile(binary, assembled);
  assert.deepEqual(await Deno.readFile(binary), assembled);
}
