import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { sloMetricNames } from "../../src/metrics/slo-metrics.ts";
import { cachePolicies, livePolicyNames } from "../../src/policy/cache/caches.ts";
import { warmupRequests } from "../../src/resolve/cold-start.ts";
import { alternatives, scenarioJsonSchema } from "../../src/scenario/json-schema.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { scenarioReference } from "../../src/scenario/reference.ts";

test("the committed JSON Schema is the one the schema gives", () => {
  const committed = readFileSync("schema/scenario.schema.json", "utf8");
  expect(committed, "run npm run generate").toBe(`${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
});

test("the committed reference is the one the schema gives", () => {
  const committed = readFileSync("docs/scenarios.md", "utf8");
  expect(committed, "run npm run generate").toBe(scenarioReference());
});

test("the JSON Schema is draft 7, which YAML language servers read", () => {
  expect(scenarioJsonSchema()).toMatchObject({ $schema: "http://json-schema.org/draft-07/schema#" });
});

test("the parameters of a cache policy are keys of their own, none of them a key of every cache", () => {
  const root = scenarioJsonSchema();
  const kinds = alternatives(root.properties!["policy"]!.properties!["offload"]!, root);
  expect(kinds.map(({ properties }) => properties?.["kind"]?.const)).toEqual(livePolicyNames);
  for (const [i, name] of livePolicyNames.entries()) {
    const { properties } = z.toJSONSchema(z.object(cachePolicies[name].parameters), { io: "input" });
    expect(kinds[i]!.properties).toMatchObject(properties ?? {});
  }
});

test("every key of every mapping is described, except the kind that names an alternative", () => {
  const undescribed: string[] = [];
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== "object" || node === null) return;
    const { properties } = node as { properties?: Record<string, { description?: string }> };
    for (const [key, value] of Object.entries(properties ?? {}))
      if (key !== "kind" && value.description === undefined) undescribed.push(`${path}.${key}`);
    for (const [key, value] of Object.entries(node)) walk(value, `${path}.${key}`);
  };
  walk(scenarioJsonSchema(), "");
  expect(undescribed).toEqual([]);
});

test("the reference names every metric", () => {
  for (const metric of sloMetricNames) expect(scenarioReference()).toContain(`| \`${metric}\` |`);
});

const scenarios = readdirSync("scenarios", { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".yaml"),
);

test("there are at least eight scenarios to learn from", () => {
  expect(scenarios.length).toBeGreaterThanOrEqual(8);
});

describe.each(scenarios)("scenarios/%s", (name) => {
  const file = join("scenarios", name);
  const text = readFileSync(file, "utf8");
  const asked = [...text.matchAll(/"\$\{(\w+)\}"/g)].map(([, parameter]) => [parameter, "trace"] as const);
  const scenario = () => parseScenario(text, file, { params: Object.fromEntries(asked) });

  test("is valid, named and described", () => {
    expect(scenario().description.length).toBeGreaterThan(20);
  });

  test("tells the editor where the schema is", () => {
    const modeline = /^# yaml-language-server: \$schema=(\S+)\n/.exec(text)?.[1] ?? "";
    expect(existsSync(resolve(dirname(file), modeline))).toBe(true);
  });

  test("simulates enough requests for its percentiles", () => {
    const { traffic, slo, warmup, coldStart } = scenario();
    const p99 = slo?.thresholds.some(({ expression: { aggregation } }) =>
      aggregation.kind === "percentile" ? aggregation.percent >= 99 : false,
    );
    if (p99 !== true || !("requests" in traffic) || traffic.requests === undefined) return;
    const left = warmupRequests({ warmup, coldStart }, traffic.requests);
    expect(traffic.requests - left).toBeGreaterThanOrEqual(1000);
  });
});

test("the reference has the keys of every list of mappings", () => {
  const reference = scenarioReference();
  for (const key of Object.keys(scenarioJsonSchema().properties?.["pools"]?.items?.properties ?? {}))
    expect(reference.slice(reference.indexOf("## pools"), reference.indexOf("## handover"))).toContain(
      `| \`${key}\` |`,
    );
});
