/** A lake whose vectors become those of another model: made beside the stream, then put into the tables by a resync. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type pg from "pg";
import { createEmbedder } from "../../lib/embed/create_embedder.ts";
import { modelVersion, textBatch } from "../../lib/embed/embedder.ts";
import { Database } from "../../lib/engine/database.ts";
import { openLake } from "../../lib/query/lake.ts";
import type { LakePlace } from "../../lib/query/lake_tables.ts";
import { requirePast } from "../../lib/query/time_travel.ts";
import { LocalStorage } from "../../lib/storage/local.ts";
import { withTemporaryFolder } from "../../lib/testing/temporary_folder.ts";
import { writeTinyModel } from "../../lib/testing/tiny_model.ts";
import { withPostgres } from "../../lib/testing/with_postgres.ts";
import { type JobEnd, JobProcess } from "../crash/job_process.ts";
import { assertComplete, runJob, startJob } from "../crash/real_job.ts";

const formats = ["iceberg", "paimon", "delta"];
const capture = ["--tables", "public.notes", "--embed", "notes:body", "--formats", formats.join(",")];
/** The transformer knows these, and fails on the last. */
const words = ["ann", "pays", "bob", "rome", "anns"];
const failing = "in";

class Scene {
  readonly folder: string;
  readonly url: string;
  readonly tiny: string;
  readonly #client: pg.Client;

  constructor(folder: string, { url, client }: { readonly url: string; readonly client: pg.Client }) {
    this.folder = folder;
    this.url = url;
    this.tiny = `${folder}/tiny`;
    this.#client = client;
  }

  async fill(): Promise<void> {
    await writeTinyModel(this.tiny);
    const list = words.map((word) => `'${word}'`).join(", ");
    await this.#client.query(
      `CREATE TABLE notes (id int PRIMARY KEY, body text);
       INSERT INTO notes SELECT i, (ARRAY[${list}])[1 + i % 5] || ' ' || (ARRAY[${list}])[1 + i / 5 % 5]
       FROM generate_series(1, 1500) i; INSERT INTO notes VALUES (9001, '${failing}')`,
    );
  }

  /** Changes rows for as long as something goes on. */
  async churn(until: Promise<unknown>): Promise<void> {
    let goesOn = true;
    void until.finally(() => goesOn = false);
    for (let round = 1; goesOn; round++) {
      await this.#client.query(
        `DELETE FROM notes WHERE id = ${round}; INSERT INTO notes VALUES (${2000 + round}, 'bob ann');
         UPDATE notes SET body = 'rome pays' WHERE id % 50 = ${round % 50} AND id < 9000`,
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  start(job: "embed" | "similar" | "verify", ...flags: readonly string[]): Promise<JobEnd> {
    const script = new URL(`../../jobs/${job}.ts`, import.meta.url);
    const environment = { POSTGRES_URL: this.url };
    return new JobProcess({ script, args: ["--json", ...flags], folder: this.folder, environment }).ended;
  }

  /** The texts that each row of the source has now. */
  async texts(): Promise<ReadonlyMap<number, string>> {
    const { rows } = await this.#client.query("SELECT id, body FROM notes");
    return new Map(rows.map(({ id, body }) => [id, `body: ${body}`]));
  }

  /** What each format's table holds: no vector but the model's own, of the text the source has now. */
  async holds(model: string): Promise<void> {
    const texts = await this.texts();
    const own = await vectorsOf(model, [...new Set(texts.values())]);
    const rows = await this.rows();
    assert.deepEqual(rows.map(({ format }) => format).toSorted(), formats.toSorted());
    for (const { format, vectors } of rows) {
      assert.equal(vectors.length, texts.size, format);
      for (const { id, version, vector } of vectors) {
        const expected = own.vectors.get(texts.get(id)!);
        assert.equal(version, own.version);
        assert.equal(vector === null, expected === undefined, `${format} ${id}`);
        vector?.forEach((value, at) => assert.ok(Math.abs(value - expected![at]!) < 1e-5, `${format} ${id}`));
      }
    }
  }

  rows(): Promise<readonly TableVectors[]> {
    return this.looking("data/lake", async (lake) => {
      const found: TableVectors[] = [];
      for (const { format, view } of await openLake(lake)) {
        const rows = await lake.connection.rows(
          `SELECT id, embedding_model || ' ' || embedding_dimensions AS version,
             to_json(embedding_vector)::VARCHAR AS vector FROM ${view}`,
        );
        const vectors = rows.map(({ id, version, vector }) => (
          { id: Number(id), version: String(version), vector: vector === null ? null : JSON.parse(String(vector)) }
        ));
        found.push({ format, vectors });
      }
      return found;
    });
  }

  /** Reads a lake below the folder. */
  async looking<T>(lake: string, look: (lake: LakePlace) => Promise<T>): Promise<T> {
    const folder = `${this.folder}/${lake}`;
    const database = await Database.open({ folders: [folder], temporaryFolder: `${this.folder}/engine` });
    const connection = await database.connect();
    try {
      return await look({ storage: new LocalStorage(folder), connection });
    } finally {
      connection.close();
      database.close();
    }
  }

  /** Vectors that were ever kept: each that a model makes is one more. */
  keptVectors(): number {
    using cache = new DatabaseSync(`${this.folder}/data/state/vectors/cache.sqlite`);
    return Number(cache.prepare("SELECT max(rowid) AS kept FROM vectors").get()!["kept"]);
  }
}

interface TableVectors {
  readonly format: string;
  readonly vectors: readonly {
    readonly id: number;
    readonly version: string;
    readonly vector: readonly number[] | null;
  }[];
}

/** A model's vectors by their texts, each embedded alone; none for a text that it fails on. */
async function vectorsOf(name: string, texts: readonly string[]) {
  const embedder = await createEmbedder(name);
  const vectors = new Map<string, Float32Array>();
  for (const text of texts) {
    const batch = await embedder.embed(textBatch([text]));
    if (batch.failures.length === 0) vectors.set(text, batch.vectors);
  }
  await embedder.close();
  for (const vector of vectors.values()) assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-5);
  return { version: `${modelVersion(embedder.model)} ${embedder.model.dimensions}`, vectors };
}

Deno.test("a lake changes its model: vectors are made beside the stream, and a resync puts them into every table", (test) =>
  onScene(async (scene) => {
    const { folder, url, tiny } = scene;

    await test.step("two models make their vectors while the job streams with a third", async () => {
      const flags = [...capture, "--model", "weir", "--follow", "--batch-seconds", "0.2"];
      const follow = startJob({ job: "capture", folder, url, flags });
      const made = follow.until(/capturing {2}/).then(() =>
        Promise.all(["hash:256", tiny].map((model) => scene.start("embed", "--model", model)))
      );
      await scene.churn(made);
      for (const { status, log } of await made) assert.equal(status.code, 0, log);
      follow.kill("SIGINT");
      assert.equal((await follow.ended).status.code, 0);
    });

    const change = async (model: string) => {
      const end = await runJob({ job: "capture", folder, url, flags: [...capture, "--model", model, "--resync"] });
      assertComplete(end, formats.length);
      await scene.holds(model);
      return end.outcome.deadLetters;
    };

    await test.step("a resync leaves vectors of the new model alone", async () => {
      assert.equal(await change("hash:256"), 0);
    });

    await test.step("a resync asks a transformer for none of the vectors that were made before", async () => {
      const kept = scene.keptVectors();
      assert.equal(await change(tiny), 1, "the row whose text it fails on");
      assert.equal(scene.keptVectors(), kept);
    });

    await test.step("searches in each format find rows by the new vectors", async () => {
      const searches = formats.map((format) =>
        scene.start("similar", "--table", "public.notes", "--format", format, "--id", "1400", "--top", "3")
      );
      for (const { status, output, log } of await Promise.all(searches)) {
        assert.equal(status.code, 0, log);
        assert.match(log, /vectors of tiny@\w+-fp32 \(3 dimensions\)/);
        assert.ok(JSON.parse(output).rows.every(({ similarity }: { similarity: number }) => similarity > 0.9999));
      }
    });

    await test.step("a lake of vectors says what it is where rows are asked of it, and has a past of its own", async () => {
      const [first] = await Array.fromAsync(Deno.readDir(`${folder}/data/lake/vectors`));
      const lake = `data/lake/vectors/${first!.name}`;
      const ended = await Promise.all([
        scene.start("verify", "--lake", lake),
        scene.start("embed", "--lake", lake, "--model", "hash"),
      ]);
      for (const { status, output, log } of ended) {
        assert.equal(status.code, 1, log);
        const { kind, message } = JSON.parse(output).error;
        assert.deepEqual([kind, /holds vectors that were made beside/.test(message)], ["configuration", true], message);
      }
      await scene.looking(lake, async (place) => {
        const [view] = await openLake({ ...place, at: "consistent" });
        assert.match(view!.position!.instance, /^vectors:public\.notes$/);
        const { snapshots } = await requirePast({ format: "iceberg", namespace: "public", name: "notes" }, place);
        assert.equal(snapshots.at(-1)!.position!.offset, view!.position!.offset);
      });
    });
  }));

function onScene(body: (scene: Scene) => Promise<void>): Promise<void> {
  const settings = { wal_level: "logical" };
  return withPostgres((fixture) =>
    withTemporaryFolder(async (folder) => {
      const scene = new Scene(folder, fixture);
      await scene.fill();
      await body(scene);
    }), { settings });
}
