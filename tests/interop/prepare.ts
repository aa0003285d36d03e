/**
 * Fetches and makes what the peers of this suite are, and who speaks with the kernels of notebooks, as the test files would when
 * they begin: run ahead, while a machine does other things, it saves them the wait. What cannot be had is told of by the tests
 * that need it.
 */
import { kernelClient } from "../notebooks/execution.ts";
import { minilm } from "./minilm.ts";
import { missingServer } from "./rest_server.ts";
import { seaweedfs } from "./seaweedfs.ts";
import { installed } from "./store_program.ts";

const java = async () => {
  await missingServer();
  await import("./spark.ts");
  await import("./paimon_java.ts");
};
await Promise.all([kernelClient(), minilm(), java(), installed(seaweedfs)]);
