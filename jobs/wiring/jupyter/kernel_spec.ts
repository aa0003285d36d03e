/** How Jupyter is to start the Deno kernel: this very Deno, from a folder that it is pointed at, beside the user's own kernels. */
import { join } from "node:path";

/**
 * Writes the kernel `deno` below a folder for `JUPYTER_PATH`. There it goes before a kernel of this name that the user installed,
 * which may be another version.
 */
export async function writeKernelSpec(folder: string): Promise<void> {
  const kernel = join(folder, "kernels", "deno");
  await Deno.mkdir(kernel, { recursive: true });
  const spec = {
    argv: [Deno.execPath(), "jupyter", "-q", "--kernel", "--conn", "{connection_file}"],
    display_name: "Deno",
    language: "typescript",
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
  };
  await Deno.writeTextFile(join(kernel, "kernel.json"), `${JSON.stringify(spec, null, 2)}\n`);
}
