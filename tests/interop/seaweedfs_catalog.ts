/**
 * SeaweedFS with a table bucket: an object store and an Iceberg REST catalog of another maker in one program. The catalog keeps its
 * tables in a bucket that the lake's own keys do not open, and gives out keys to each of them.
 */
import { freePorts } from "../../lib/embedded/port.ts";
import { ObjectClient } from "../../lib/storage/s3/client.ts";
import type { CatalogKind, CatalogPeer, StoreAccess } from "./catalog_peer.ts";
import { answering } from "./object_server.ts";
import { identity, seaweedfs, serverCommand } from "./seaweedfs.ts";
import { installed } from "./store_program.ts";

/** SeaweedFS, both as store and as catalog. */
export const seaweedfsCatalog: CatalogKind = {
  name: "the catalog and the store of SeaweedFS",
  missing: async () => {
    const found = await installed(seaweedfs);
    return "missing" in found ? found.missing : undefined;
  },
  start: async () => {
    const store = await SharedStore.start();
    await store.makeTableBucket("tables");
    return {
      ...store.peer,
      uri: store.icebergUri,
      warehouse: "s3://tables",
      credential: `${owner.accessKeyId}:${owner.secretAccessKey}`,
      // Its table buckets take no files of the kind that holds deletion vectors.
      icebergVersion: "2",
      keepsThePast: false,
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  },
};

const owner = { accessKeyId: "owner", secretAccessKey: "not/an+owner's/secret" };
/** Opens the lake alone. */
const user = { accessKeyId: "weir-test", secretAccessKey: "not/a+secret" };

/** What a catalog takes on before it gives out keys: it may do everything, and is narrowed to one table then. */
export const tableRole = "arn:aws:iam::000000000000:role/Tables";
const version = "2012-10-17";
const access = {
  identities: [
    identity("owner", owner, ["Admin", "Read", "Write", "List", "Tagging"]),
    identity("weir", user, ["Read:lake", "Write:lake", "List:lake", "Tagging:lake"]),
  ],
  sts: { tokenDuration: "1h", maxSessionLength: "12h", issuer: "weed", signingKey: btoa("0123456789".repeat(4)) },
  roles: [{
    roleName: "Tables",
    roleArn: tableRole,
    trustPolicy: {
      Version: version,
      Statement: [
        { Effect: "Allow", Principal: { Federated: "iceberg-catalog" }, Action: ["sts:AssumeRoleWithCredentials"] },
        { Effect: "Allow", Principal: "*", Action: ["sts:AssumeRole"] },
      ],
    },
    attachedPolicies: ["All"],
  }],
  policies: [{
    name: "All",
    document: { Version: version, Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] },
  }],
};

/** A store with a bucket for the lake, whose keys open nothing else. Disposing ends it. */
export class SharedStore implements AsyncDisposable {
  readonly #program: string;
  readonly #folder: string;
  readonly #ports = freePorts(9);
  #child: Deno.ChildProcess | undefined;

  private constructor(program: string, folder: string) {
    this.#program = program;
    this.#folder = folder;
  }

  static async start(): Promise<SharedStore> {
    const found = await installed(seaweedfs);
    if ("missing" in found) throw new Error(found.missing);
    const store = new SharedStore(found.path, await Deno.makeTempDir({ prefix: "weir-" }));
    try {
      await store.#start();
      return store;
    } catch (thrown) {
      await store[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** Of its own catalog. */
  get icebergUri(): string {
    return `http://127.0.0.1:${this.#ports[8]}`;
  }

  /** What of a catalog above it is the store's. */
  get peer(): Pick<CatalogPeer, "lake" | "store" | "tables"> {
    const { endpoint } = this;
    return {
      lake: `s3://lake/${crypto.randomUUID()}`,
      store: { endpoint, credentials: user },
      tables: { endpoint, credentials: owner },
    };
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#ports[0]}`;
  }

  async makeBucket(bucket: string): Promise<void> {
    await clientOf(this.peer.tables, bucket).send({ method: "PUT", key: "" }, () => {});
  }

  /** Makes a bucket of which its own catalog keeps the tables. */
  async makeTableBucket(name: string): Promise<void> {
    const [, , master, masterGrpc, , , filer, filerGrpc] = this.#ports;
    const args = [`-master=127.0.0.1:${master}.${masterGrpc}`, `-filer=127.0.0.1:${filer}.${filerGrpc}`];
    for (let tries = 1;; tries++) {
      const command = new Deno.Command(this.#program, {
        args: ["shell", ...args],
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      });
      const shell = command.spawn();
      await new Blob([`s3tables.bucket -create -name ${name} -account admin\n`]).stream().pipeTo(shell.stdin);
      const said = new TextDecoder().decode((await shell.output()).stdout);
      if (said.includes(`bucket/${name}`)) return;
      // Its parts do not all answer at the same time.
      if (tries === 20) throw new Error(`SeaweedFS makes no table bucket: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.status;
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #start(): Promise<void> {
    const [folder, ports] = [this.#folder, this.#ports];
    const more = [
      ...[`-s3.iam.config=${folder}/access.json`, `-s3.iceberg.credentialRole=${tableRole}`],
      ...[`-s3.port.iceberg=${ports[8]}`, `-s3.externalUrl=${this.endpoint}`],
    ];
    this.#child = (await serverCommand(this.#program, { folder, ports, access, more })).spawn();
    await Promise.all([answering(this.endpoint), answering(`${this.icebergUri}/v1/config`)]);
    await this.makeBucket("lake");
  }
}

/** A client of one bucket. */
export function clientOf({ endpoint, credentials }: StoreAccess, bucket: string): ObjectClient {
  const at = { scheme: "s3", region: "us-east-1", firstWaitMs: 50 } as const;
  return new ObjectClient({ ...at, endpoint, credentials, bucket });
}
