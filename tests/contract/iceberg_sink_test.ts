import { icebergFailPoints } from "../../lib/table/iceberg/fail_points.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import { lakeFormat } from "./lake_sink.ts";
import { sinkContract } from "./sink_contract.ts";
import { sinkSuite } from "./sink_suite.ts";
import { sinkValues } from "./sink_values.ts";

function iceberg(formatVersion: 2 | 3) {
  return lakeFormat({
    name: `iceberg v${formatVersion}`,
    failPoints: icebergFailPoints,
    countsRows: true,
    table: (options) =>
      new IcebergTable({ ...options, folder: `iceberg/${options.namespace}/${options.name}`, formatVersion }),
  });
}

sinkSuite(iceberg(3));

// The steps at which a commit can fail are those of version 3; only what is written at them differs.
sinkContract(iceberg(2));
sinkValues(iceberg(2));
