import { resolve } from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { RoutingTable } from "../../src/trace/routing-table.ts";
import { saveRoutingTable } from "../../src/trace/save-routing.ts";
import { further } from "../drawn.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path } = scratch();
const bundled = resolve("scenarios/traces/gpt-oss-20b.safetensors");
const profiles = path("profiles.safetensors");
const planted = path("planted.safetensors");
const other = path("other.safetensors");
const wide = path("wide.safetensors");

/** One layer, top-1: rows of an expert, domain after domain. */
function table(domains: readonly (readonly number[])[], experts: number): RoutingTable {
  const ids = Uint8Array.from(domains.flat());
  const starts = [0];
  for (const rows of domains) starts.push(starts.at(-1)! + rows.length);
  return {
    experts,
    topK: 1,
    layers: 1,
    rows: ids.length,
    ids,
    sequenceStarts: Uint32Array.from(starts),
    domains: domains.map((_, i) => `d${i}`),
    domainStarts: Uint32Array.from(starts),
    modelLayers: [0],
    origin: { kind: "recorded", name: "t", digest: "", sourceRows: ids.length, phase: "decode", notes: [] },
  };
}

beforeAll(async () => {
  const [a, b] = [
    [0, 0, 0, 1],
    [2, 2, 1, 1],
  ];
  await saveRoutingTable(table([a, b], 4), "m", profiles);
  await saveRoutingTable(table([[...a, ...b, ...b, ...b]], 4), "m", planted);
  await saveRoutingTable(table([[3, 3, 3, 3].concat(Array(400).fill(3) as number[])], 4), "m", other);
  await saveRoutingTable(table([[0, 1]], 5), "m", wide);
});

const mix = (...words: string[]) => moecast(["trace", "mix", ...words]);

test("a planted mixture is found, and printed as a scenario's class takes it", async () => {
  const { code, out } = await mix(profiles, planted);
  expect(code).toBe(0);
  expect(out).toContain('domains: {"d0": 0.25, "d1": 0.75}');
  for (const solver of further(["glpk"])) {
    const json = JSON.parse((await mix(profiles, planted, "--json", "--solver", solver)).out);
    expect(json.shares.d0).toBeCloseTo(0.25, 6);
    expect(json.unexplained).toBeCloseTo(0, 6);
  }
});

test("traffic that is like no mixture has shares and a warning, with what is left", async () => {
  const { code, out } = await mix(profiles, other);
  expect(code).toBe(0);
  expect(out).toContain("unlike any mixture of these domains");
  expect(out).toContain("100.00% of 404 choices");
});

test.each(further(["tulu"]))("a domain of a trace is itself", async (name) => {
  const { out } = await mix(bundled, bundled, "--domain", name);
  expect(out).toContain(`domains: {"${name}": 1}`);
});

test("traces that cannot be compared, and wrong words, are refused", async () => {
  const alone = await mix(planted, profiles);
  expect([alone.code, alone.err]).toEqual([3, expect.stringContaining("expected a trace of two domains or more")]);
  const others = await mix(profiles, wide);
  expect([others.code, others.err]).toEqual([3, expect.stringContaining("expected 4 experts")]);
  expect((await mix(profiles, planted, "--domain", "none")).code).toBe(3);
  expect((await mix(profiles, planted, "--solver", "dp")).code).toBe(2);
  expect((await mix(profiles, path("nowhere"))).code).toBe(3);
});
