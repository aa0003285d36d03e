import { sinkContract } from "./sink_contract.ts";
import { icebergV2, icebergV3 } from "./sink_formats.ts";
import { sinkValues } from "./sink_values.ts";

for (const format of [icebergV3, icebergV2]) {
  sinkContract(format);
  sinkValues(format);
}
