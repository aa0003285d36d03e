/**
 * Which version of the protocol a table claims: the least that what it uses needs.
 *
 * Column mapping is always claimed as a table feature, although reader version 2 has it too: of that version some readers
 * (deltalake's path through pyarrow) show nulls instead of values, of an unknown feature they say that they cannot read it.
 */
import { WeirError } from "../../errors.ts";
import type { Metadata, Protocol } from "./actions.ts";
import { propertyNames } from "./properties.ts";
import { columnType, isMapped, type TableShape } from "./schema.ts";

/** Features that readers must know too. */
const readerFeatures = ["columnMapping", "deletionVectors", "timestampNtz"];
/** Those of the writer versions before features were listed; a table that lists any must list them. */
const writerFeatures = ["appendOnly", "invariants"];

/** The protocol of a shape: never less than what the table claims already. */
export function protocolFor(shape: TableShape, current?: Protocol): Protocol {
  const hasLocalTimes = shape.fields.some(({ type }) => {
    const ours = columnType(type);
    return (ours.kind === "list" ? ours.element : ours).kind === "timestamp";
  });
  const needed = new Set([
    ...(current?.readerFeatures ?? []),
    ...(isMapped(shape) ? ["columnMapping"] : []),
    ...(shape.configuration[propertyNames.deletionVectors] === "true" ? ["deletionVectors"] : []),
    ...(hasLocalTimes ? ["timestampNtz"] : []),
  ]);
  if (needed.size === 0) return current ?? { minReaderVersion: 1, minWriterVersion: 2 };
  const writers = new Set([...writerFeatures, ...current?.writerFeatures ?? [], ...needed]);
  return {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: [...needed].sort(),
    writerFeatures: [...writers].sort(),
  };
}

/**
 * Only tables as this code writes them can be written on.
 *
 * @throws {WeirError} `tableUnreadable` for a table with features or properties of another writer that would be broken.
 */
export function refuseForeign(path: string, { protocol, metadata }: { protocol: Protocol; metadata: Metadata }): void {
  const refuse = (what: string) =>
    new WeirError("tableUnreadable", `Cannot use the table at ${path}: ${what}`, { detail: { path } });
  const { minReaderVersion, minWriterVersion } = protocol;
  const isOld = minReaderVersion === 1 && minWriterVersion <= 2;
  const isListed = minReaderVersion <= 3 && minWriterVersion === 7;
  if (!isOld && !isListed) throw refuse(`it needs reader ${minReaderVersion} and writer ${minWriterVersion}`);
  const known = [...readerFeatures, ...writerFeatures];
  const unknown = [...protocol.readerFeatures ?? [], ...protocol.writerFeatures ?? []]
    .filter((feature) => !known.includes(feature));
  if (unknown.length > 0) throw refuse(`another writer uses the feature ${unknown[0]}`);
  const mode = metadata.configuration[propertyNames.mappingMode] ?? "none";
  if (mode !== "none" && mode !== "name") throw refuse(`its columns are mapped by ${mode}`);
  if (metadata.schemaString.includes('"delta.invariants"')) throw refuse("a column has an invariant");
  if (metadata.configuration[propertyNames.appendOnly]?.toLowerCase() === "true") {
    throw refuse("another writer made it append-only, so rows could not be replaced");
  }
}
