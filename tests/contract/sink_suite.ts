/** Everything a sink must keep: a format is one call. */
import { sinkContract } from "./sink_contract.ts";
import { sinkFaults } from "./sink_faults.ts";
import type { SinkFormat } from "./sink_fixture.ts";
import { sinkValues } from "./sink_values.ts";

/** Registers every suite for one format. */
export function sinkSuite(format: SinkFormat): void {
  sinkContract(format);
  sinkFaults(format);
  sinkValues(format);
}
