import { MemoryLake, MemorySink, memorySinkFailPoints } from "../../lib/testing/memory_sink.ts";
import { sinkSuite } from "./sink_suite.ts";

sinkSuite({
  name: "memory",
  failPoints: memorySinkFailPoints,
  hasStorage: false,
  countsRows: true,
  lake: ({ connection }) => {
    const lake = new MemoryLake(connection);
    return { open: (definition) => new MemorySink(lake, definition) };
  },
});
