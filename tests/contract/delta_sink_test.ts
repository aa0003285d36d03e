import { checkpointFailPoints, deltaFailPoints } from "../../lib/table/delta/fail_points.ts";
import { DeltaTable, type DeltaTableOptions } from "../../lib/table/delta/delta_table.ts";
import { checkpointEvery } from "../../lib/testing/delta_lake.ts";
import { lakeFormat } from "./lake_sink.ts";
import { sinkContract } from "./sink_contract.ts";
import { sinkSuite } from "./sink_suite.ts";

function delta(deletes: "vectors" | "rewrite", options: Pick<DeltaTableOptions, "properties"> = {}) {
  return lakeFormat({
    name: `delta by ${deletes}`,
    failPoints: [...deltaFailPoints, ...checkpointFailPoints],
    countsRows: true,
    table: (at) => new DeltaTable({ ...at, ...options, folder: `delta/${at.namespace}/${at.name}`, deletes }),
  });
}

// Every other commit leaves a checkpoint, so that a new process starts from one as often as from the log.
sinkSuite(delta("vectors", checkpointEvery(2)));

// The steps at which a commit can fail are the same; only what is written at them differs.
sinkContract(delta("rewrite"));
