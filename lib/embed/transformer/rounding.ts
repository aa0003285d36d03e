/** Whether a model's vectors depend on which texts it is run with. */
import { Buffer } from "node:buffer";
import { storageError } from "../../errors.ts";

/**
 * Operators of ONNX and of ONNX Runtime (`DynamicQuantizeLinear`, `DynamicQuantizeMatMul` …) that round what passes between layers by
 * the largest number of the whole batch. Exports in q8 have them as a rule; weights alone in few bits (q4) do not need them.
 */
const operator = Buffer.from("DynamicQuantize");
const chunkBytes = 2 ** 20;

/**
 * Looks a model's ONNX file through. Operators stand in it by their names.
 *
 * @throws {WeirError} `storage` where it cannot be read.
 */
export async function roundsByBatch(path: string): Promise<boolean> {
  try {
    using file = await Deno.open(path);
    const window = Buffer.alloc(operator.length - 1 + chunkBytes);
    for (let kept = 0;;) {
      const read = await file.read(window.subarray(kept));
      if (read === null) return false;
      const end = kept + read;
      if (window.subarray(0, end).includes(operator)) return true;
      // A name may lie across two reads.
      kept = Math.min(operator.length - 1, end);
      window.copyWithin(0, end - kept, end);
    }
  } catch (thrown) {
    throw storageError(thrown, path);
  }
}
