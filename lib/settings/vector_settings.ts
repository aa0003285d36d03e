/** The settings of models, vectors and what is done with them: embedding, search, serving, making a model. */
import { bytes, choice, httpUrl, integer, list, secretText, text, texts, toggle } from "./kinds.ts";

/** The settings, under the names the jobs use. */
export const vectorSettings = {
  model: text({
    flag: "model",
    help:
      "Embedding model: weir, which comes with this program, a folder (./model), organisation/name[@revision] of the model hub, or hash, which carries no meaning (hash:256: as many dimensions)",
    defaultText: "weir",
    placeholder: "MODEL",
    only: {
      form: /^(?:weir|hash(?::(?:128|256|384))?|\.{0,2}\/.*|[^:@/]+\/[^:@]*|[\w-][\w.-]*\/[\w-][\w.-]*@[\w][\w./-]*)$/,
      remedy:
        "Give weir, hash, hash:128, hash:256, hash:384, a folder such as ./model, or organisation/name[@revision] of the model hub",
    },
  }),
  modelDtype: text({
    flag: "model-dtype",
    help:
      "Which weights of a transformer: fp32, fp16, q8, q4 …, as it has them (onnx/model.onnx, onnx/model_fp16.onnx …)",
    defaultText: "fp32",
    placeholder: "DTYPE",
    only: { form: /^\w+$/, remedy: "Give a name such as fp32, fp16, q8 or q4" },
  }),
  modelDevice: choice({
    flag: "model-device",
    help: "Where a transformer runs",
    defaultText: "cpu",
    choices: ["cpu", "webgpu", "cuda"],
  }),
  modelPooling: choice({
    flag: "model-pooling",
    help: "How a transformer's token vectors become one; model: as its own files say",
    defaultText: "model",
    choices: ["model", "mean", "cls", "max", "lasttoken", "weightedmean", "mean_sqrt_len"],
  }),
  modelCache: text({
    flag: "model-cache",
    help: "Folder that models of the hub are downloaded into, once",
    defaultText: "data/state/models",
    placeholder: "FOLDER",
  }),
  vectorCacheBytes: bytes({
    flag: "vector-cache",
    help: "Disk space for a transformer's vectors, so that no text is embedded twice; below data/state",
    defaultText: "1GiB",
    minimum: 2 ** 20,
    maximum: 2 ** 45,
  }),
  offline: toggle({ flag: "offline", help: "Ask the model hub for nothing: use what was downloaded before" }),
  hubEndpoint: httpUrl({
    flag: "hub-endpoint",
    environment: "HF_ENDPOINT",
    help: "The model hub, or a mirror of it; without it https://huggingface.co",
    placeholder: "https://huggingface.co",
  }),
  hubToken: secretText({
    environment: "HF_TOKEN",
    help: "Token for private and gated models of the hub",
    placeholder: "hf_…",
  }),
  budgetRows: integer({
    flag: "budget-rows",
    help: "Most rows to embed in this run; without it all that wait",
    minimum: 1,
    maximum: 1_000_000_000_000,
  }),
  budgetMinutes: integer({
    flag: "budget-minutes",
    help: "Longest time to embed in this run; without it until none waits",
    minimum: 1,
    maximum: 525_600,
  }),
  table: text({
    flag: "table",
    help: "Lake table to search, as namespace.table",
    placeholder: "NAMESPACE.TABLE",
  }),
  format: choice({
    flag: "format",
    help: "Format of that table, where the lake has it in several; any: Iceberg, or else Paimon, or else Delta",
    defaultText: "any",
    choices: ["any", "iceberg", "paimon", "delta"],
  }),
  id: texts({
    flag: "id",
    help: "Key of the row to find similar ones of: its value, or column=value, given once for each column of the key",
    placeholder: "VALUE",
  }),
  nearText: text({ flag: "text", help: "Text to find similar rows of", placeholder: "TEXT" }),
  top: integer({ flag: "top", help: "Rows to find", defaultText: "10", minimum: 1, maximum: 100_000 }),
  filter: texts({
    flag: "filter",
    help: "Only rows whose column compares so: column=value, or with != < <= > >=; may be given several times",
    placeholder: "COLUMN=VALUE",
  }),
  columns: list({
    flag: "columns",
    help: "Columns of the rows to show; without it the key and a few others",
    placeholder: "COLUMN,…",
  }),
  index: toggle({
    flag: "index",
    help: "Bring the table's vector index up to date first, or build it; later searches of a large table use it",
  }),
  exact: toggle({ flag: "exact", help: "Compare every row, index or not" }),
  serveHost: text({
    flag: "host",
    help: "Address to listen on; on any but this machine's own, clients must send a token",
    defaultText: "127.0.0.1",
    placeholder: "ADDRESS",
  }),
  servePort: integer({ flag: "port", help: "Port to listen on", defaultText: "8484", minimum: 1, maximum: 65_535 }),
  serveToken: secretText({
    environment: "WEIR_SERVE_TOKEN",
    help: "Token that clients must send; on 127.0.0.1 nobody is asked without it",
    placeholder: "the token",
    // A blank one would let everybody in, and no header carries other characters as they are.
    only: { form: /^[!-~]+$/, remedy: "Give letters, digits and signs of ASCII, without a space in or around them" },
  }),
  serveWorkers: integer({
    flag: "workers",
    help: "Workers with a copy of the model each",
    defaultText: "1",
    minimum: 1,
    maximum: 256,
  }),
  distilTexts: text({
    flag: "texts",
    help: "File of record texts, one on a line; without it those of generated account holders and payments",
    placeholder: "FILE",
  }),
  distilOut: text({
    flag: "out",
    help: "Folder to write the model to, such as data/models/mine; has to be given",
    placeholder: "FOLDER",
  }),
  distilReplace: toggle({ flag: "replace", help: "Write to --out although a model is there, which is lost" }),
  distilDimensions: integer({
    flag: "dimensions",
    help: "Floats per vector",
    defaultText: "128",
    minimum: 8,
    maximum: 4096,
  }),
  distilPhrases: integer({
    flag: "phrases",
    help: "Phrases of the texts that get a token of their own, at most",
    defaultText: "4000",
    minimum: 0,
    maximum: 100_000,
  }),
  evaluationTeacher: text({
    flag: "teacher",
    help: "Sentence model that the evaluated one is to agree with; without it agreement is left out",
    placeholder: "MODEL",
  }),
  evaluationRecord: toggle({ flag: "record", help: "Write what was measured to tests/eval/results.md, too" }),
  recordText: choice({
    flag: "record-text",
    help:
      "What of a record its vector is made from: compact, what carries meaning, or full, every field with its label but identifiers",
    defaultText: "compact",
    choices: ["compact", "full"],
  }),
} as const;
