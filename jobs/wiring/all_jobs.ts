/** Every job that comes with Weir and does not list the others, in the order in which they are told of. */
import type { DeclaredJob } from "../../lib/cli/help.ts";
import { job as capture } from "../capture.ts";
import { job as compile } from "../compile.ts";
import { job as demo } from "../demo.ts";
import { job as distill } from "../distill.ts";
import { job as doctor } from "../doctor.ts";
import { job as embed } from "../embed.ts";
import { job as maintain } from "../maintain.ts";
import { job as notebook } from "../notebook.ts";
import { job as pipeline } from "../pipeline.ts";
import { job as serveEmbeddings } from "../serve_embeddings.ts";
import { job as promote } from "../promote.ts";
import { job as similar } from "../similar.ts";
import { job as sql } from "../sql.ts";
import { job as verify } from "../verify.ts";

/** As they are declared. */
export const allJobs: readonly DeclaredJob[] = [
  pipeline,
  demo,
  capture,
  verify,
  maintain,
  similar,
  sql,
  notebook,
  serveEmbeddings,
  embed,
  distill,
  compile,
  promote,
  doctor,
];
