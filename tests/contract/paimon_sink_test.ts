import { paimonFailPoints } from "../../lib/table/paimon/fail_points.ts";
import { PaimonTable } from "../../lib/table/paimon/paimon_table.ts";
import { lakeFormat } from "./lake_sink.ts";
import { sinkSuite } from "./sink_suite.ts";

sinkSuite(lakeFormat({
  name: "paimon",
  failPoints: paimonFailPoints,
  countsRows: false,
  table: (options) => new PaimonTable({ ...options, folder: "paimon" }),
}));
