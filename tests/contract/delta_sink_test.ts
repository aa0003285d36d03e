import { sinkContract } from "./sink_contract.ts";
import { deltaByRewrite, deltaByVectors } from "./sink_formats.ts";
import { sinkValues } from "./sink_values.ts";

sinkContract(deltaByVectors);
sinkValues(deltaByVectors);

// Values are written alike; only what a delete leaves differs.
sinkContract(deltaByRewrite);
