/** An embedding model for others to ask over HTTP. */
import { type Need, requirePermissions } from "../lib/cli/permission.ts";
import { declareJob, runJob } from "../lib/cli/run_job.ts";
import { namedModel } from "../lib/embed/model_source.ts";
import { WeirError } from "../lib/errors.ts";
import { EmbeddingService } from "../lib/serve/embeddings/embedding_service.ts";
import { serveUntil } from "../lib/serve/embeddings/http_server.ts";
import { settings as declared } from "../lib/settings/declarations.ts";
import { modelSettings } from "./wiring/capture_settings.ts";
import { modelNeeds, startModel } from "./wiring/embedding_model.ts";

const loopback = ["127.0.0.1", "::1", "localhost"];

export const job = declareJob({
  name: "serve:embeddings",
  summary: "Serve an embedding model to clients of OpenAI's API, until Ctrl-C",
  stops: "once the requests that are under way are answered",
  settings: {
    ...modelSettings,
    serveHost: declared.serveHost,
    servePort: declared.servePort,
    serveToken: declared.serveToken,
    serveWorkers: declared.serveWorkers,
  },
  main: async ({ settings, signal, progress, print }) => {
    const { model, serveHost: hostname, servePort: port, serveToken: token, serveWorkers: workers } = settings;
    if (token === undefined && !loopback.includes(hostname)) {
      throw new WeirError("configuration", `Other machines reach ${hostname}, and no token is set`, {
        advice: "Set WEIR_SERVE_TOKEN to what clients must send, or leave out --host",
      });
    }
    const address: Need = { kind: "host", host: `${hostname}:${port}` };
    requirePermissions("serve_embeddings", [address, ...await modelNeeds(settings)]);
    const embedder = await startModel(settings, { signal, progress, workers });
    try {
      // Where a folder lies is nobody else's business.
      const modelName = namedModel(model).kind === "folder" ? embedder.model.id : model;
      const service = new EmbeddingService({ embedder, modelName, token });
      const root = `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}/v1`;
      const onListen = () =>
        print(`${modelName} (${embedder.model.dimensions} dimensions) answers at ${root}/embeddings`);
      await serveUntil({ hostname, port, signal, onListen }, (request) => service.handle(request));
      return { ok: true, ...service.counts };
    } finally {
      await embedder.close();
    }
  },
});

if (import.meta.main) await runJob(job);
