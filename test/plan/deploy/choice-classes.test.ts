import { expect, test } from "vitest";
import { launchers } from "../../../src/engine/launch/launchers.ts";
import { choicePath, choiceRowOf, choiceRows } from "../../../src/plan/deploy/choice-classes.ts";
import { alternatives, type JsonSchema, scenarioJsonSchema } from "../../../src/scenario/json-schema.ts";

/** Every path of a scenario's mappings; items of a list and values by free names have the path of their list or mapping. */
function schemaPaths(): ReadonlySet<string> {
  const root = scenarioJsonSchema();
  const found = new Set<string>();
  const walk = (schema: JsonSchema, path: string, depth: number): void => {
    if (depth > 12) return;
    for (const one of alternatives(schema, root)) {
      if (one !== schema && (one.oneOf ?? one.anyOf ?? one.$ref ?? one.allOf) !== undefined) walk(one, path, depth + 1);
      for (const [key, inner] of Object.entries(one.properties ?? {})) {
        const below = path === "" ? key : `${path}.${key}`;
        found.add(below);
        walk(inner, below, depth + 1);
      }
      if (one.items !== undefined) walk(one.items, path, depth + 1);
      if (typeof one.additionalProperties === "object") walk(one.additionalProperties, path, depth + 1);
    }
  };
  walk(root, "", 0);
  return found;
}

const paths = schemaPaths();

test("the walk finds keys of every depth", () => {
  for (const path of ["engine.speculative.draftTokens", "policy.offload.hostCache", "pools.role"])
    expect(paths, path).toContain(path);
  expect(paths.size).toBeGreaterThan(250);
});

test("every key that a scenario can have is in one class: none is dropped silently", () => {
  expect([...paths].filter((path) => choiceRowOf(path) === undefined)).toEqual([]);
});

/** Sections that say what is started: a row of theirs that stands for all below could hide a new key. */
const deployed = ["model", "engine", "parallel", "policy", "pools", "handover"];

test("keys of the sections that are started have rows of their own", () => {
  const hidden = [...paths]
    .map(choicePath)
    .filter((path) => deployed.includes(path.split(".")[0]!) && path.split(".").length === 2)
    .filter((path) => !Object.hasOwn(choiceRows, path));
  expect(hidden).toEqual([]);
});

test("every row is of a key that there is", () => {
  const known = [...paths].map(choicePath);
  const stale = Object.keys(choiceRows).filter((row) => {
    const key = row.replace(/\.\*\*$/, "");
    return row === key ? !known.includes(key) : !known.some((path) => path.startsWith(`${key}.`));
  });
  expect(stale).toEqual([]);
});

test("what a launcher says is a row that engines differ in, and each of those is said by one", () => {
  const launched = Object.keys(choiceRows).filter((path) => choiceRows[path]!.as === "launched");
  const said = new Set(launchers.flatMap(({ expresses }) => expresses));
  expect([...said].filter((path) => !launched.includes(path))).toEqual([]);
  expect(launched.filter((path) => !said.has(path))).toEqual([]);
});
