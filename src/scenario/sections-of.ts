import { resolve } from "node:path";
import { InvalidInputError } from "../core/errors.ts";
import { expandPaths, fromScenario } from "./file-path.ts";
import { applySettings } from "./settings.ts";
import { plainValue, readYaml } from "./yaml-source.ts";

/**
 * Settings that give another scenario sections of this one, as its text and settings state them; paths in them become absolute.
 * Sections that it does not state are not there. Throws InvalidInputError for settings that do not apply.
 */
export function sectionsOf(
  text: string,
  file: string,
  { settings, params }: { readonly settings: readonly string[]; readonly params: Readonly<Record<string, string>> },
  sections: readonly string[],
): string[] {
  const source = readYaml(text, file);
  const { problems } = applySettings(source, settings);
  if (problems.length > 0) throw new InvalidInputError(problems);
  const document = expandPaths(plainValue(source).value, params, source).value as Readonly<Record<string, unknown>>;
  return sections.flatMap((section) =>
    document[section] === undefined ? [] : [`${section}=${JSON.stringify(absolutePaths(document[section], file))}`],
  );
}

function absolutePaths(value: unknown, file: string): unknown {
  if (Array.isArray(value)) return value.map((item) => absolutePaths(item, file));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === "file" && typeof item === "string" ? resolve(fromScenario(file, item)) : absolutePaths(item, file),
    ]),
  );
}
