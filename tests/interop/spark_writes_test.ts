/** Apache Spark writes and maintains our tables beside us, and both go on: no row lost, none twice. */
import { withDatabase } from "../../lib/testing/temporary.ts";
import { kinds, SparkModel } from "./spark_model.ts";
import { append, holders, remove, rows, update } from "./spark_changes.ts";
import { SparkTests } from "./spark.ts";

const spark = new SparkTests(["delta", "paimon"]);

spark.test(
  "Delta by vectors: Spark appends, updates, deletes, merges files and vacuums",
  (running) =>
    withDatabase(async (fixture) => {
      const model = new SparkModel({ fixture, spark: running, kind: kinds["Delta by vectors"] }, holders);
      await model.create();
      await model.apply({ upserts: rows("0, 100", "ours") });
      await model.bySpark(append);
      await model.apply({ upserts: rows("50, 120", "again"), removals: "SELECT 900 AS id" });
      await model.check();
      await model.bySpark(update);
      await model.bySpark(remove);
      await model.apply({ upserts: rows("5, 25", "third") });
      await model.check();
      await model.maintain((table) => `OPTIMIZE ${table}`);
      await model.apply({ upserts: rows("90, 130", "after the merge"), removals: "SELECT 901 AS id" });
      await model.maintain((table) => `VACUUM ${table} RETAIN 0 HOURS`);
      await model.apply({ upserts: rows("110, 140", "after the vacuum") });
      await model.check("id = 115");
    }),
);

spark.test(
  "Paimon without a key: Spark appends, merges files and expires snapshots",
  (running) =>
    withDatabase(async (fixture) => {
      const model = new SparkModel({ fixture, spark: running, kind: kinds.Paimon }, { ...holders, key: [] });
      const call = (procedure: string) => (table: string) => {
        const [catalog, ...name] = table.split(".");
        return `CALL ${catalog}.sys.${procedure}`.replace("TABLE", `'${name.join(".")}'`);
      };
      await model.create();
      for (let step = 0; step < 6; step++) await model.apply({ upserts: rows(`${step}, ${step + 10}`, `${step}`) });
      await model.bySpark(append);
      await model.apply({ upserts: rows("50, 60", "after theirs") });
      await model.check();
      await model.maintain(call("compact(table => TABLE)"));
      await model.apply({ upserts: rows("60, 70", "after the merge") });
      await model.maintain(call("expire_snapshots(table => TABLE, retain_max => 2)"));
      await model.apply({ upserts: rows("70, 80", "after the expiry") });
      await model.check("id >= 65");
    }),
);
