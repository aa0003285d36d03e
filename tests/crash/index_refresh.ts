/** Refreshes the index of a table of notes in a process of its own, that it may be killed. Arguments: folder, fail point. */
import { Database } from "../../lib/engine/database.ts";
import { indexTable } from "../../lib/query/similar/index_table.ts";
import { VectorIndex } from "../../lib/query/similar/vector_index.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { crashAt } from "../../lib/testing/crash_at.ts";

const [folder = "", point = ""] = Deno.args;
const temporaryFolder = `${folder}/refresh`;
await Deno.mkdir(temporaryFolder, { recursive: true });
const database = await Database.open({ folders: [folder], temporaryFolder });
const lake = { storage: new LocalStorage(`${folder}/lake`), connection: await database.connect() };
const table = { format: "iceberg" as const, namespace: "desk", name: "notes" };
// Whatever was committed, it was by another process: there is something to lose from the first hit on.
crashAt({ point, commitPoints: [point] });
await indexTable(lake, { table, index: new VectorIndex(`${folder}/index`), threads: 2 });
