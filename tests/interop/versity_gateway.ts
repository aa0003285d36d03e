/** Versity's S3 gateway over a folder: built from source, which takes four minutes of CPU. */
import { failureOf, isThere, type StoreProgram } from "./store_program.ts";

const version = "v1.8.0";

/** One process over a folder whose sub-folders are buckets. */
export const versityGateway: StoreProgram = {
  name: `versitygw-${version}`,
  install: async (folder) => {
    const path = `${folder}/versitygw`;
    if (await isThere(path)) return { path };
    const args = ["install", "-ldflags=-s -w", `github.com/versity/versitygw/cmd/versitygw@${version}`];
    const env = { GOBIN: folder, CGO_ENABLED: "0" };
    const failure = await failureOf(new Deno.Command("go", { args, env, stdin: "null" }));
    return failure === undefined ? { path } : { missing: `go install failed: ${failure}` };
  },
  command: (path, { folder, ports: [port], credentials }) =>
    Promise.resolve(
      new Deno.Command(path, {
        args: ["--quiet", "--keep-alive", "--port", `127.0.0.1:${port}`, "posix", folder],
        env: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
        ...{ stdin: "null", stdout: "null", stderr: "null" } as const,
      }),
    ),
};
