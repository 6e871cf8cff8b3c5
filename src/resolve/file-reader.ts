import { type Json, parseJson } from "../core/json.ts";
import { fromScenario } from "../scenario/file-path.ts";
import type { SolveRunner } from "../solver/solver.ts";
import type { RoutingTable } from "../trace/routing-table.ts";

/** How a forecast reads small files: model configurations and hardware profiles. Rejects for unreadable ones. */
export interface FileReader {
  readText(path: string, bytesMax?: number): Promise<string>;
  /** What lies at a path. Absent: every path names a file. */
  whatIs?(path: string): Promise<"file" | "folder" | "nothing">;
  /** Names of what lies in a folder. Absent: nobody can tell. */
  list?(path: string): Promise<readonly string[]>;
}

/** Routing tables that several scenarios replay: read or synthesised once. */
export interface TableStore {
  /** The table of a key, made by the first who asks for it. What `make` throws is everyone's who waits for it. */
  table(key: string, make: () => Promise<RoutingTable>): Promise<RoutingTable>;
}

/**
 * What names are resolved with: files; where optimisation problems are solved, absent: on this thread; and where routing tables
 * are kept, absent: nowhere.
 */
export interface Surroundings extends FileReader {
  readonly solve?: SolveRunner;
  readonly tables?: TableStore;
}

/** A JSON file that a scenario names, with the bytes for its digest. */
export async function readJson(
  reader: FileReader,
  scenarioFile: string,
  path: string,
): Promise<{ readonly json: Json; readonly text: string; readonly file: string }> {
  const file = fromScenario(scenarioFile, path);
  const text = await reader.readText(file);
  return { json: parseJson(text, file), text, file };
}
