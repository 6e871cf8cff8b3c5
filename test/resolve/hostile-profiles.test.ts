import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MoecastError } from "../../src/core/errors.ts";
import { engineProfileNamed } from "../../src/engine/catalogue.ts";
import { forecastScenario } from "../../src/forecast/forecast-scenario.ts";
import { deviceProfileNamed, systemProfileNamed } from "../../src/hardware/named-profiles.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { saveRoutingTable } from "../../src/trace/save-routing.ts";
import { parametricRouting } from "../../src/trace/synthesis/parametric-routing.ts";
import { further } from "../drawn.ts";

const folder = mkdtempSync(join(tmpdir(), "hostile-profiles-"));
const routing = join(folder, "routing.safetensors");
// Profiles have no say in it: synthesised once for all runs.
beforeAll(async () => {
  const table = parametricRouting({
    experts: 64,
    topK: 8,
    layers: 16,
    popularity: { skew: 0.5 },
    tokens: 100,
    seed: 0,
  });
  await saveRoutingTable(table, "hostile profiles", routing);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Two ranks, so that links, collectives and an expert cache all count. */
const scenario = `version: 1
name: hostile profiles
model: { id: olmoe-1b-7b, dtypes: { experts: int4 } }
hardware: { file: system.json, device: { file: device.json } }
engine: { file: engine.json, maxModelLen: 512, maxNumSeqs: 4 }
parallel: { dp: 2 }
traffic:
  kind: generated
  requests: 3
  arrivals: { kind: poisson, requestRate: 5/s }
  isl: { kind: fixed, tokens: 40 }
  osl: { kind: fixed, tokens: 4 }
routing: { kind: trace, file: ${JSON.stringify(routing)} }
policy: { offload: { kind: lru, slots: 8 } }
`;
const good = {
  "system.json": systemProfileNamed("rtx-pro-6000-2"),
  "device.json": deviceProfileNamed("rtx-4090"),
  "engine.json": engineProfileNamed("vllm"),
} as const;

type Path = readonly (string | number)[];

/** Paths of the sourced numbers of a profile. */
function numbersOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [];
  if ("source" in value && "value" in value) return typeof value.value === "number" ? [[...path, "value"]] : [];
  return Object.entries(value).flatMap(([key, item]) =>
    numbersOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

function changed<T>(profile: T, path: Path, to: unknown): T {
  const copy = structuredClone(profile);
  let holder = copy as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) holder = holder[step] as typeof holder;
  holder[path.at(-1) as string] = to;
  return copy;
}

/** What a run on these profiles ends in: a forecast, or the exit code of an error for people. */
async function outcome(files: Readonly<Record<string, unknown>>): Promise<string> {
  const readText = (path: string) => Promise.resolve(JSON.stringify(files[path]));
  try {
    const forecast = await forecastScenario(parseScenario(scenario, "hostile.yaml"), { readText });
    const { outputTokensPerSecond } = forecast.throughput;
    return Number.isFinite(outputTokensPerSecond) ? "forecast" : `${outputTokensPerSecond} tok/s`;
  } catch (error) {
    if (error instanceof MoecastError && error.exitCode !== 1) return `exit ${error.exitCode}`;
    return (error as Error).stack ?? String(error);
  }
}

const fine = /^(forecast|exit [34])$/;

describe("profiles at the ends of what numbers can be", () => {
  test("the scenario runs as it is", async () => {
    expect(await outcome(good)).toBe("forecast");
  });

  test.each(Object.keys(good) as (keyof typeof good)[])("%s: every number", async (file) => {
    for (const path of numbersOf(good[file]))
      for (const extreme of [0, 1e300, ...further([-1, 1e15, 0.5])])
        expect(
          await outcome({ ...good, [file]: changed(good[file], path, extreme) }),
          `${path.join(".")} = ${extreme}`,
        ).toMatch(fine);
  });

  test("names that every object has, for what a profile refers to", async () => {
    for (const name of ["constructor", "toString", "__proto__", "valueof"]) {
      for (const [file, path] of [
        ["system.json", ["device"]],
        ["system.json", ["tiers", 0, "tier"]],
        ["device.json", ["scaleUp"]],
        ["device.json", ["hostLink"]],
        ["device.json", ["efficiencyPreset"]],
        ["device.json", ["kernels"]],
        ["device.json", ["id"]],
        ["engine.json", ["id"]],
      ] as const)
        expect(
          await outcome({ ...good, [file]: changed<unknown>(good[file], path, name) }),
          `${file} ${path.join(".")}`,
        ).toMatch(fine);
    }
  });
});
