import { deltaByVectors, icebergV3, memory, paimon } from "../contract/sink_formats.ts";
import { sinkFaults } from "./sink_faults.ts";

// The steps at which a commit can fail are those of Iceberg v2, too, and of Delta without vectors; only what is written differs.
for (const format of [memory, icebergV3, paimon, deltaByVectors]) sinkFaults(format);
