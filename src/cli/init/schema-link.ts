import { dirname, join, relative, resolve, sep } from "node:path";
import type { Io } from "../io.ts";

/** Where editors find the schema of scenario files: a path from the scenario's folder, and a file to write where there is none. */
export interface SchemaLink {
  readonly path: string;
  /** Path from the folder of the project of a schema that has to be written; null where one is there. */
  readonly missing: string | null;
}

const published = join("schema", "scenario.schema.json");
const besideName = "moecast.schema.json";

/** The schema of the package that a project depends on, whether it is installed already or not. */
export function dependencyLink(folder: string): SchemaLink {
  const up = folder === "" ? "." : relative(folder, ".");
  return { path: `${up.split(sep).join("/")}/node_modules/moecast/schema/scenario.schema.json`, missing: null };
}

/**
 * The schema of an installation at or above a folder, in `node_modules/moecast` or in a checkout; else one beside the
 * scenario: moecast has no address on the web that editors could read.
 */
export async function schemaLink(
  project: string,
  folder: string,
  io: Pick<Io, "whatIs" | "readText">,
): Promise<SchemaLink> {
  const from = resolve(project, folder);
  for (let at = resolve(project); ; at = dirname(at)) {
    for (const file of [join(at, "node_modules", "moecast", published), join(at, published)])
      if ((await io.whatIs(file)) === "file" && (await isOurs(file, io)))
        return { path: relative(from, file).split(sep).join("/"), missing: null };
    if (dirname(at) === at) break;
  }
  return { path: `./${besideName}`, missing: join(folder, besideName) };
}

/** Whether a schema is of scenarios: its folder could be of another project. */
async function isOurs(file: string, io: Pick<Io, "readText">): Promise<boolean> {
  const text = await io.readText(file).catch(() => "");
  return text.includes('"Version of the scenario format."');
}
