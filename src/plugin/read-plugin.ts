import { z } from "zod";
import { InvalidInputError, type Problem } from "../core/errors.ts";
import { closest } from "../core/suggest.ts";
import { definitionProblem, parameterDefinition } from "./parameter-types.ts";
import type { ParameterDefinition, Plugin } from "./plugin.ts";

const word = z.string().regex(/^[A-Za-z0-9][\w.-]{0,99}$/, { error: "a word of letters, digits, -, _ and ." });
const method = (signature: string) =>
  z.custom((value) => typeof value === "function", { error: `a function: ${signature}` });
const named = { name: word, rule: z.string().min(1).max(2000) };
const parameters = z
  .record(z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,99}$/, { error: "a name in camel case" }), parameterDefinition)
  .optional();

/** Policies may have further keys, such as functions of their own. */
const schema = z.looseObject({
  name: word,
  caches: z
    .array(
      z.looseObject({
        ...named,
        parameters,
        needs: z.array(z.enum(["popularity", "weights", "tokens", "layers"])).optional(),
        create: method("create(context, values), which returns a cache"),
      }),
    )
    .optional(),
  placements: z
    .array(
      z.looseObject({
        ...named,
        parameters,
        needs: z.array(z.enum(["loads", "windows", "transitions", "pairs", "previous"])).optional(),
        makesCopies: z.boolean().optional(),
        place: method("place(input, values, tools), which returns a placement"),
      }),
    )
    .optional(),
  routers: z.array(z.looseObject({ ...named, create: method("create(targets), which returns a router") })).optional(),
});

const families = ["caches", "placements", "routers"] as const;

/**
 * A value as a plugin; it stays the very same value. `source` names it in messages.
 * @throws InvalidInputError with all that is wrong with its form
 */
export function readPlugin(value: unknown, source: string): Plugin {
  const result = schema.safeParse(value);
  const problems: Problem[] = result.success
    ? [...unknownKeys(value as object), ...definitionProblems(value as Plugin), ...emptiness(value as Plugin)]
    : result.error.issues.map(({ path, message, ...issue }) => ({
        at: pathOf(path),
        expected: message.startsWith("Invalid") && "expected" in issue ? String(issue.expected) : message,
        found: found(value, path),
      }));
  if (problems.length > 0) throw new InvalidInputError(problems.map((problem) => ({ file: source, ...problem })));
  return value as Plugin;
}

const pathOf = (path: readonly PropertyKey[]): string =>
  path.length === 0
    ? "plugin"
    : path.map((step, i) => (typeof step === "number" ? `[${step}]` : `${i === 0 ? "" : "."}${String(step)}`)).join("");

function found(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const step of path)
    at = at === null || typeof at !== "object" ? undefined : (at as Record<PropertyKey, unknown>)[step];
  return at;
}

/** Keys of the whole that nobody reads: `cache` in place of `caches` would go unseen. */
function unknownKeys(plugin: object): Problem[] {
  const known: readonly string[] = ["name", ...families];
  return Object.keys(plugin)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const near = closest(key, known);
      return {
        at: key,
        expected: `a key of a plugin: ${known.join(", ")}`,
        found: key,
        ...(near === null ? {} : { hint: `did you mean ${near}?` }),
      };
    });
}

function definitionProblems(plugin: Plugin): Problem[] {
  return (["caches", "placements"] as const).flatMap((family) =>
    (plugin[family] ?? []).flatMap(({ parameters: own }, i) =>
      Object.entries(own ?? {}).flatMap(([name, definition]: [string, ParameterDefinition]) => {
        const problem = definitionProblem(definition);
        return problem === null ? [] : [{ at: `${family}[${i}].parameters.${name}`, ...problem }];
      }),
    ),
  );
}

const emptiness = (plugin: Plugin): Problem[] =>
  families.some((family) => (plugin[family] ?? []).length > 0)
    ? []
    : [{ at: "plugin", expected: "policies in caches, placements or routers", found: Object.keys(plugin) }];
