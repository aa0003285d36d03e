import { sinkContract } from "./sink_contract.ts";
import { memory } from "./sink_formats.ts";
import { sinkValues } from "./sink_values.ts";

sinkContract(memory);
sinkValues(memory);
