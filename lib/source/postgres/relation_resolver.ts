/** Relation messages into captured tables: looks the catalogue up, derives the step, and tells the batch. */
import type { CapturedTable } from "./captured_table.ts";
import { tablesByOid } from "./catalogue.ts";
import type { RelationPlace } from "./change_stream.ts";
import { lakeNames } from "./lake_names.ts";
import type { RelationMessage } from "./pgoutput.ts";
import type { RelationMemory } from "./relation_memory.ts";
import { stepBetween, versionOfMessage } from "./relation_version.ts";
import type { SideConnection } from "./side_connection.ts";
import { keyOf } from "./source_table.ts";
import { publishedTable } from "./find_tables.ts";
import { sourceTypesOf } from "./type_lookup.ts";

/** What a {@linkcode RelationResolver} works with. */
export interface RelationResolverOptions {
  readonly side: SideConnection;
  readonly tables: ReadonlyMap<number, CapturedTable>;
  readonly memory: RelationMemory;
  readonly generatedColumns: boolean;
}

/** Resolves one stream's Relation messages. */
export class RelationResolver {
  readonly #options: RelationResolverOptions;

  constructor(options: RelationResolverOptions) {
    this.#options = options;
  }

  /** Applies a message to its table, where that is captured. */
  async resolve(message: RelationMessage, place: RelationPlace): Promise<void> {
    const { tables, memory, side, generatedColumns } = this.#options;
    const captured = tables.get(message.oid);
    if (captured === undefined) return;
    const { found, sourceTypes } = await side.ask(async (connection) => {
      const [found] = await tablesByOid(connection, [message.oid]);
      return { found, sourceTypes: await sourceTypesOf(connection, message.columns) };
    });
    if (!place.isCurrent()) return;
    if (found === undefined) {
      place.builder.endSegment(captured);
      captured.detachedReason = "the table was dropped";
      return;
    }
    const table = publishedTable(found, generatedColumns);
    const key = keyAt(message, { captured, current: keyOf(table) });
    const before = memory.before(message.oid, place.commitLsn);
    const as = { source: captured.source, key };
    const version = versionOfMessage(message, { table, sourceTypes, captured: as, before });
    const step = before === undefined ? { schemaChanges: [] } : stepBetween(before, version, table.fileNode);
    if (step.schemaChanges.length > 0 || !captured.hasLayoutOf(version)) place.builder.endSegment(captured);
    captured.apply(message, version, step);
    if (JSON.stringify(before) !== JSON.stringify(version)) memory.add(version, place.commitLsn, { fromCopy: false });
    if (step.recopyReason !== undefined) place.builder.requireCopy(captured, step.recopyReason);
  }
}

/** The key as the message's columns spell it: the known key, unless the catalogue's fits and the known one does not. */
function keyAt(
  message: RelationMessage,
  known: { readonly captured: CapturedTable; readonly current: readonly string[] | undefined },
): readonly string[] {
  const names = lakeNames(message.columns.map(({ name }) => name));
  const identity = names.filter((_, index) => message.columns[index]?.inIdentity);
  const fits = (key: readonly string[]) => key.length > 0 && key.every((name) => identity.includes(name));
  const { key } = known.captured.dataset;
  if (fits(key)) return key;
  const current = known.current?.map((name) =>
    names[message.columns.findIndex((column) => column.name === name)] ?? name
  );
  return current !== undefined && fits(current) ? current : identity;
}
