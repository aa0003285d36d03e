/** Everything that is a sink, as the suites take it. */
import { MemoryLake, MemorySink, memorySinkFailPoints } from "../../lib/testing/memory_sink.ts";
import { checkpointEvery } from "../../lib/testing/delta_lake.ts";
import { checkpointFailPoints, deltaFailPoints } from "../../lib/table/delta/fail_points.ts";
import { DeltaTable, type DeltaTableOptions } from "../../lib/table/delta/delta_table.ts";
import { icebergFailPoints } from "../../lib/table/iceberg/fail_points.ts";
import { IcebergTable } from "../../lib/table/iceberg/iceberg_table.ts";
import { paimonFailPoints } from "../../lib/table/paimon/fail_points.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
import { lakeFormat } from "./lake_sink.ts";
import type { SinkFormat } from "./sink_fixture.ts";

export const memory: SinkFormat = {
  name: "memory",
  failPoints: memorySinkFailPoints,
  hasStorage: false,
  countsRows: true,
  lake: ({ connection }) => {
    const lake = new MemoryLake(connection);
    return { open: (definition) => new MemorySink(lake, definition) };
  },
};

export const icebergV2 = iceberg(2);
export const icebergV3 = iceberg(3);

/** Two buckets: a change writes several files, and may be stopped between them. */
export const paimon = paimonOf(2);
export const paimonOfOneBucket = paimonOf(1);

/** Every other commit leaves a checkpoint, so that a new process starts from one as often as from the log. */
export const deltaByVectors = delta("vectors", checkpointEvery(2));
export const deltaByRewrite = delta("rewrite");

function iceberg(formatVersion: 2 | 3): SinkFormat {
  return lakeFormat({
    name: `iceberg v${formatVersion}`,
    failPoints: icebergFailPoints,
    countsRows: true,
    table: (at) => new IcebergTable({ ...at, folder: `iceberg/${at.namespace}/${at.name}`, formatVersion }),
  });
}

function paimonOf(buckets: number): SinkFormat {
  return lakeFormat({
    name: "paimon",
    failPoints: paimonFailPoints,
    countsRows: false,
    table: (options) => new PaimonTable({ ...options, folder: "paimon", buckets }),
  });
}

function delta(deletes: "vectors" | "rewrite", options: Pick<DeltaTableOptions, "properties"> = {}): SinkFormat {
  return lakeFormat({
    name: `delta by ${deletes}`,
    failPoints: [...deltaFailPoints, ...checkpointFailPoints],
    countsRows: true,
    table: (at) => new DeltaTable({ ...at, ...options, folder: `delta/${at.namespace}/${at.name}`, deletes }),
  });
}
