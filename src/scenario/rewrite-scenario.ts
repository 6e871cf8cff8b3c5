import { dirname, isAbsolute, relative, resolve } from "node:path";
import { InvalidInputError } from "../core/errors.ts";
import { oneLine } from "../core/printable.ts";
import { expandPaths } from "./file-path.ts";
import { applySettings } from "./settings.ts";
import { plainValue, readYaml, type ValuePath } from "./yaml-source.ts";

/** What becomes of a scenario that is written anew. */
export interface Rewriting {
  readonly settings: readonly string[];
  readonly params: Readonly<Record<string, string>>;
  /** File that it is written to: its paths start there. */
  readonly target: string;
  readonly name: string;
  readonly description: string;
  /** Sections that it leaves out, as they are for other commands. */
  readonly without: readonly string[];
  /** Lines at its top, without their mark. */
  readonly comment: readonly string[];
}

/**
 * The text of a scenario with settings in it, to be written to another place: comments stay, paths lead to the same files, with their
 * parameters filled in. Throws InvalidInputError for settings that do not apply and parameters without a value.
 */
export function rewriteScenario(text: string, file: string, to: Rewriting): string {
  const source = readYaml(text, file);
  const { document } = source;
  const { problems } = applySettings(source, to.settings);
  const expanded = expandPaths(plainValue(source).value, to.params, source);
  const all = [...problems, ...expanded.problems];
  if (all.length > 0) throw new InvalidInputError(all);
  for (const path of filePaths(expanded.value, [])) {
    const stated = valueAt(expanded.value, path) as string;
    if (!isAbsolute(stated)) document.setIn(path, fromFolder(dirname(to.target), resolve(dirname(file), stated)));
    else document.setIn(path, stated);
  }
  for (const key of ["params", ...to.without]) document.delete(key);
  document.setIn(["name"], to.name);
  document.setIn(["description"], to.description);
  const written = document.toString({ lineWidth: 140 }).split("\n");
  // The schema lies elsewhere from there.
  const rest = written.filter((line) => !/^#\s*yaml-language-server/.test(line));
  return [...to.comment.map((line) => `# ${oneLine(line)}`), "#", ...rest].join("\n");
}

/** A path from a folder, with the slashes of scenarios. */
const fromFolder = (folder: string, path: string): string => relative(resolve(folder), path).replaceAll("\\", "/");

function filePaths(value: unknown, at: ValuePath): ValuePath[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => filePaths(item, [...at, i]));
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === "file" && typeof item === "string" ? [[...at, key]] : filePaths(item, [...at, key]),
  );
}

const valueAt = (value: unknown, path: ValuePath): unknown =>
  path.reduce<unknown>((held, step) => (held as Record<string, unknown>)[String(step)], value);
