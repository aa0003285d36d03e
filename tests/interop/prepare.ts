/**
 * Fetches and makes what the peers of this suite are, as its files would when they begin: run ahead, while a machine does other
 * things, it saves them the wait. What cannot be had is told of by the tests that need it.
 */
import { minilm } from "./minilm.ts";
import { missingServer } from "./rest_server.ts";
import { seaweedfs } from "./seaweedfs.ts";
import { installed } from "./store_program.ts";

const java = async () => {
  await missingServer();
  await import("./spark.ts");
  await import("./paimon_java.ts");
};
await Promise.all([minilm(), java(), installed(seaweedfs)]);
