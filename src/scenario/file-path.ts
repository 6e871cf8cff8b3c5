import { dirname, isAbsolute, join } from "node:path";
import type { Problem } from "../core/errors.ts";
import { closest } from "../core/suggest.ts";
import { pathText, type ValuePath, type YamlSource } from "./yaml-source.ts";

/** The path to open for a path written in a scenario: relative paths start at the scenario's folder. */
export function fromScenario(scenarioFile: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(scenarioFile), path);
}

/**
 * Replaces `${NAME}` in every path of a scenario. By convention a path is the value of a key named `file`, and nothing
 * else is. A value comes from the caller, else from the scenario's `params`; a name without a value is a problem, and
 * so is a value nobody asks for.
 */
export function expandPaths(
  value: unknown,
  given: Readonly<Record<string, string>>,
  source: YamlSource,
): { readonly value: unknown; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const declared = declaredParameters(value);
  const asked = new Set(declared.keys());

  const expand = (text: string, path: ValuePath): string =>
    text.replace(/\$\{([^}]*)\}/g, (whole, name: string) => {
      asked.add(name);
      const replacement = given[name] ?? declared.get(name);
      if (typeof replacement === "string") return replacement;
      problems.push({
        ...source.place(path, "value"),
        at: pathText(path),
        expected: `a value of the parameter ${name}`,
        found: text,
        hint: `give --param ${name}=PATH, or a default under params`,
      });
      return whole;
    });

  const walk = (node: unknown, path: ValuePath): unknown => {
    if (Array.isArray(node)) return node.map((item, index) => walk(item, [...path, index]));
    if (node === null || typeof node !== "object") return node;
    const out: Record<string, unknown> = Object.create(null);
    for (const [key, item] of Object.entries(node)) {
      const at = [...path, key];
      out[key] = key === "file" && typeof item === "string" ? expand(item, at) : walk(item, at);
    }
    return out;
  };

  const expanded = walk(value, []);
  for (const name of Object.keys(given)) {
    if (asked.has(name)) continue;
    const near = closest(name, asked);
    problems.push({
      file: `--param ${name}=${given[name]}`,
      expected: "a parameter that the scenario uses",
      found: name,
      ...(near === null ? {} : { hint: `did you mean ${near}?` }),
    });
  }
  return { value: expanded, problems };
}

function declaredParameters(value: unknown): Map<string, string | null> {
  const params = value !== null && typeof value === "object" ? (value as Record<string, unknown>)["params"] : null;
  if (params === null || typeof params !== "object") return new Map();
  return new Map(Object.entries(params).map(([name, text]) => [name, typeof text === "string" ? text : null]));
}
