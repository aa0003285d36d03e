/** Sinks that take the same rows side by side: one of them offers what it wrote to the others. */
import type { Sink } from "../change/sink.ts";
import type { SharedRows, WrittenRows } from "../change/written_rows.ts";
import { allOrFirstError } from "./all_or_first_error.ts";

/** Has every sink write, until all have ended; throws the first error then. */
export async function sharingRows(
  sinks: readonly Sink[],
  write: (sink: Sink, shared: SharedRows) => Promise<void>,
): Promise<void> {
  const [first, ...others] = sinks.toSorted((left, right) => rank(left) - rank(right));
  if (first === undefined) return;
  if (others.length === 0) return await write(first, {});
  const { promise: offered, resolve: offer } = Promise.withResolvers<WrittenRows | undefined>();
  // Who failed before it wrote anything must not be waited for.
  const offering = write(first, { offer }).finally(() => offer(undefined));
  await allOrFirstError([offering, ...others.map((sink) => write(sink, { offered }))]);
}

/** Files that hold more than the rows are of use to the other sinks, but not the other way round. */
function rank({ hasOwnFileColumns = false }: Sink): number {
  return hasOwnFileColumns ? 0 : 1;
}
