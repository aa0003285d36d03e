/** Programs and servers of others that no job needs, but some tasks use. */
import { stripVTControlCharacters } from "node:util";
import { findJupyter, installCommands } from "../jupyter/jupyter_program.ts";
import { type Finding, ok } from "./finding.ts";

/** A program that nothing needs by default. */
interface Tool {
  readonly name: string;
  readonly args: readonly string[];
  readonly use: string;
}

const tools: readonly Tool[] = [
  { name: "java", args: ["-version"], use: "deno task test:interop reads tables with Spark and Paimon's Java code" },
  { name: "mvn", args: ["--version"], use: "deno task test:interop fetches them with it" },
  {
    name: "python3",
    args: ["--version"],
    use: "deno task test:interop reads tables with pyiceberg, pypaimon and deltalake",
  },
  { name: "docker", args: ["--version"], use: "the services of compose.yaml" },
];

/** The programs that are there, and what those that are not would be for. */
export async function toolFindings(): Promise<readonly Finding[]> {
  return await Promise.all([...tools.map(toolFinding), jupyterFinding(), kafkaFinding()]);
}

async function jupyterFinding(): Promise<Finding> {
  const jupyter = await findJupyter();
  if (jupyter !== undefined) return ok("jupyter", `JupyterLab ${jupyter.version}`);
  const remedy = `Only for this: deno task notebook opens the notebooks with it. Run: ${installCommands}`;
  return { verdict: "note", what: "jupyter", says: "JupyterLab is not found", remedy };
}

async function toolFinding({ name, args, use }: Tool): Promise<Finding> {
  const remedy = `Only for this: ${use}`;
  try {
    const { success, stdout, stderr } = await new Deno.Command(name, { args: [...args], stdin: "null" }).output();
    const said = `${new TextDecoder().decode(stdout)}${new TextDecoder().decode(stderr)}`;
    const [line = ""] = said.trim().split("\n");
    if (success) return ok(name, stripVTControlCharacters(line).trim());
    return { verdict: "note", what: name, says: "found, but it does not start", remedy };
  } catch {
    // Of a program that is not there the permission to start it says nothing.
    return { verdict: "note", what: name, says: "not found", remedy };
  }
}

const kafka = { hostname: "127.0.0.1", port: 9092 };

async function kafkaFinding(): Promise<Finding> {
  const { hostname, port } = kafka;
  try {
    (await Deno.connect(kafka)).close();
    return ok("kafka", `something listens on ${hostname}:${port}`);
  } catch {
    const remedy = "No job needs it yet; docker compose --profile kafka up starts one";
    return { verdict: "note", what: "kafka", says: `nothing listens on ${hostname}:${port}`, remedy };
  }
}
