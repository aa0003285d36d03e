/** How Spark changes a small table (`holders.ts`): statements that DuckDB understands as well. */

/** Adds rows. */
export const append = (table: string): string =>
  `INSERT INTO ${table} SELECT id + 900, 'theirs', seen FROM ${table} WHERE id < 5`;
/** Adds rows of `partitionedHolders`, some of them in partitions that are not there. */
export const appendPartitioned = (table: string): string =>
  `INSERT INTO ${table} SELECT id + 900, 'theirs', seen, land || ' é', born FROM ${table} WHERE id < 5`;
/** Changes rows. */
export const update = (table: string): string => `UPDATE ${table} SET name = concat(name, '!') WHERE id % 7 = 0`;
/** Removes rows. */
export const remove = (table: string): string => `DELETE FROM ${table} WHERE id BETWEEN 20 AND 30`;
