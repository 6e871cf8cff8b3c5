import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { refuse } from "../../core/errors.ts";
import { isTableName } from "./open-table.ts";

/** A file that may hold a kernel table. */
export interface TableFile {
  readonly path: string;
  /** Named by the user, not found in a folder: it has to be a kernel table. */
  readonly named: boolean;
}

/** The files among paths, and the tables of the folders among them with all folders below, in order of name. */
export async function tableFiles(paths: readonly string[]): Promise<TableFile[]> {
  const files: TableFile[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(() => refuse({ file: path, expected: "a file or folder that exists" }));
    if (!found.isDirectory()) files.push({ path, named: true });
    else for (const file of await tablesBelow(path)) files.push({ path: file, named: false });
  }
  return files;
}

async function tablesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) for (const below of await tablesBelow(path)) files.push(below);
    else if (isTableName(entry.name) && (await stat(path).catch(() => null))?.isFile() === true) files.push(path);
  }
  return files;
}
