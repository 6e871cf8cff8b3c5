import { stat } from "node:fs/promises";
import { join } from "node:path";
import { InvalidInputError, refuse, UsageError } from "../../core/errors.ts";

/** What a query gives. */
export interface QueryAnswer {
  readonly columns: readonly string[];
  /** Values as DuckDB writes them as JSON. */
  readonly rows: readonly (readonly unknown[])[];
}

/**
 * Runs SQL over the tables of sweeps: `results` has the rows of all folders, with the folder of each in `folder`. Needs DuckDB,
 * which the one who asks installs. Throws UsageError for SQL that DuckDB refuses, InvalidInputError without DuckDB and for a folder
 * without results.
 */
export async function queryResults(sql: string, folders: readonly string[]): Promise<QueryAnswer> {
  const tables = folders.map((folder) => join(folder, "results.parquet"));
  for (const [i, table] of tables.entries())
    if ((await stat(table).catch(() => null))?.isFile() !== true)
      refuse({ file: folders[i]!, expected: "a folder of a sweep, with results.parquet", found: "none" });
  const { DuckDBInstance } = await duckDb();
  // Nothing but the tables is to be touched, whatever the query asks for.
  const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  const connection = await instance.connect();
  try {
    const parts = tables.map(
      (table, i) => `SELECT *, ${quoted(folders[i]!)} AS folder FROM read_parquet(${quoted(table)})`,
    );
    await connection
      .run(`CREATE TABLE results AS ${parts.join(" UNION ALL BY NAME ")}`)
      .catch((error: unknown) =>
        refuse({ file: folders.join(", "), expected: "tables that moecast wrote", hint: messageOf(error) }),
      );
    await connection.run("SET enable_external_access = false");
    await connection.run("SET lock_configuration = true");
    const reader = await connection.runAndReadAll(sql).catch((error: unknown) => {
      throw new UsageError(`query: ${messageOf(error)}`);
    });
    return { columns: reader.columnNames(), rows: reader.getRowsJson() };
  } finally {
    connection.disconnectSync();
    instance.closeSync();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

async function duckDb(): Promise<typeof import("@duckdb/node-api")> {
  try {
    return await import("@duckdb/node-api");
  } catch {
    throw new InvalidInputError([
      { at: "sweep query", expected: "DuckDB", found: "none", hint: "npm install @duckdb/node-api" },
    ]);
  }
}
