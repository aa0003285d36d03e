/** The columns that travel with a vector, so that it can always be told which text and model it belongs to (design §6). */
import type { Column } from "../dataset/column.ts";
import { types } from "../dataset/column_type.ts";

/** Added after a table's own columns, in this order. All are NULL for a row that was never embedded. */
export const embeddingColumns = [
  {
    name: "embedding_vector",
    type: types.list(types.float32),
    nullable: true,
    vectorOf: "embedding_text_hash",
    doc: "Vector of the record's text, scaled to unit norm (L2); null where the text could not be embedded",
  },
  { name: "embedding_dimensions", type: types.int32, nullable: true, doc: "Floats per vector" },
  { name: "embedding_timestamp", type: types.timestamptz, nullable: true, doc: "When the vector was computed" },
  { name: "embedding_model", type: types.string, nullable: true, doc: "Model as id@revision" },
  { name: "embedding_template", type: types.string, nullable: true, doc: "Version of the text's template" },
  { name: "embedding_text_hash", type: types.string, nullable: true, doc: "First 16 hex digits of the text's MD5" },
] as const satisfies readonly Column[];
