import { sinkContract } from "./sink_contract.ts";
import { paimon } from "./sink_formats.ts";
import { sinkValues } from "./sink_values.ts";

sinkContract(paimon);
sinkValues(paimon);
