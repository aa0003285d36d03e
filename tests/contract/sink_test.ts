import { MemoryLake, MemorySink, memorySinkFailPoints } from "../../lib/testing/memory_sink.ts";
import { sinkContract } from "./sink_contract.ts";
import { sinkFaults } from "./sink_faults.ts";
import type { SinkFormat } from "./sink_fixture.ts";
import { sinkValues } from "./sink_values.ts";

const memory: SinkFormat = {
  name: "memory",
  failPoints: memorySinkFailPoints,
  hasStorage: false,
  lake: ({ connection }) => {
    const lake = new MemoryLake(connection);
    return { open: (definition) => new MemorySink(lake, definition) };
  },
};

for (const format of [memory]) {
  sinkContract(format);
  sinkFaults(format);
  sinkValues(format);
}
