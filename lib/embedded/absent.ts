/** Turns "not found" into `undefined` and passes every other error on: `await Deno.readTextFile(path).catch(absent)`. */
export function absent(thrown: unknown): undefined {
  if (thrown instanceof Deno.errors.NotFound) return undefined;
  throw thrown;
}
