/** Which lake tables a dataset becomes: its own with flattened and embedded columns, and one per child array. */
import type { Column } from "../../lib/dataset/column.ts";
import type { Dataset } from "../../lib/dataset/dataset.ts";
import type { Embedder } from "../../lib/embed/embedder.ts";
import { type DatasetPlan, declaredDefinition, type TablePlan } from "../../lib/pipeline/plan.ts";
import { embeddingColumns } from "../../lib/transform/embedding_columns.ts";
import { tableSteps } from "../../lib/transform/table_steps.ts";
import type { TextDeclaration } from "../../lib/embed/text_declaration.ts";
import type { Lake } from "./lake.ts";
import { type LayoutRequests, withLayout } from "./layout_requests.ts";

/** What {@linkcode planOf} needs. */
export interface PlanOptions {
  readonly lake: Lake;
  /** What a row's vector is made from, and by whom. Absent: the table gets no vectors. */
  readonly embedding?: { readonly text: TextDeclaration; readonly embedder: Embedder };
  readonly layout: LayoutRequests;
  /** The dataset's number among those that are captured. */
  readonly lane: number;
}

/** The columns that an embedding step would add; none where the source has one of such a name itself. */
function vectorColumns({ columns }: Dataset): readonly Column[] {
  return embeddingColumns.some(({ name }) => columns.some((own) => own.name === name)) ? [] : embeddingColumns;
}

/** The plan of a dataset in a lake. Throws what {@linkcode withLayout} throws. */
export function planOf(dataset: Dataset, options: PlanOptions): DatasetPlan {
  const { embedding } = options;
  const [main, ...children] = tableSteps(dataset, embedding);
  const withSinks = (asked: Omit<TablePlan, "sinks">): TablePlan => {
    const plan = withLayout(asked, { requests: options.layout, dataset });
    return { ...plan, sinks: options.lake.sinksFor(declaredDefinition({ ...plan, sinks: [] }, dataset), options.lane) };
  };
  return {
    dataset,
    tables: [
      withSinks({ ...main, leftOutColumns: embedding === undefined ? vectorColumns(dataset) : [] }),
      ...children.map((steps) => withSinks(steps)),
    ],
  };
}
