import { parse } from "csv-parse/sync";
import { beforeAll, describe, expect, test } from "vitest";
import { exporters } from "../../src/report/exporters.ts";
import type { EndedRun } from "../tui/screens/ended-run.ts";
import { endedRun } from "../tui/screens/ended-run.ts";

let cached: EndedRun;
let spread: EndedRun;

beforeAll(async () => {
  cached = await endedRun("scenarios/offload-4090.yaml", ["traffic.requests=6"]);
  spread = await endedRun("scenarios/placement-ep8.yaml", ["traffic.requests=12"]);
}, 60_000);

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const rendered = (format: "details" | "requests", ...runs: readonly EndedRun[]) =>
  exporters[format].render(
    runs.map(({ forecast }) => forecast),
    { details: runs.map(({ details }) => details) },
  );

describe("details", () => {
  test("hold the arrays of the run, in rows by layer", () => {
    for (const run of [cached, spread]) {
      const { experts, caches, links, endNs, scenario } = JSON.parse(rendered("details", run));
      expect(scenario).toBe(run.forecast.scenario.name);
      expect(endNs).toBe(run.details.endNs);
      expect(links).toEqual(run.details.links);
      const [of] = run.details.experts;
      expect(experts[0].uses).toHaveLength(of!.layers);
      expect(experts[0].uses.flat()).toEqual([...of!.uses]);
      expect(experts[0].rankPairs.flat()).toEqual([...of!.rankPairs]);
      expect(experts[0].copies.flat()).toEqual([...of!.copies]);
      for (const [layer, { pairs }] of run.forecast.experts!.layers.entries())
        expect(sum(experts[0].uses[layer])).toBeCloseTo(pairs, 6);
      expect(experts[0].placements.map(({ name }: { name: string }) => name)).toEqual(
        of!.placements.map(({ name }) => name),
      );
      expect(caches).toHaveLength(run.details.caches.length);
    }
    expect(spread.details.experts[0]!.placements.length).toBeGreaterThan(0);
  });

  test("hold the cache with its hits by size, which are those of the result", () => {
    const [cache] = JSON.parse(rendered("details", cached)).caches;
    const { accesses, misses, reference, slots } = cached.forecast.cache!;
    expect(sum(cache.asked.flat())).toBe(accesses);
    expect(sum(cache.missed.flat())).toBe(misses);
    expect(sum(cache.course.hits)).toBe(accesses - misses);
    expect(cache.lru.hits[Math.min(slots, cache.lru.hits.length - 1)] / cache.lru.accesses).toBe(reference!.lru);
  });

  test("are typed arrays nowhere: every list is one of JSON", () => {
    const check = (value: unknown): void => {
      if (value === null || typeof value !== "object") return;
      // A typed array would come as an object with the keys 0, 1, 2.
      if (!Array.isArray(value)) expect(Object.keys(value)).not.toContain("0");
      for (const one of Object.values(value)) check(one);
    };
    for (const run of [cached, spread]) check(JSON.parse(rendered("details", run)));
  });

  test("of several runs are a list, and a run that was not followed has none", () => {
    expect(JSON.parse(rendered("details", cached, spread))).toHaveLength(2);
    expect(JSON.parse(exporters.details.render([cached.forecast]))).toMatchObject({ experts: null, links: null });
    const failures = [{ file: "broken.yaml", message: "broken" }];
    expect(JSON.parse(exporters.details.render([cached.forecast], { failures }))).toHaveLength(1);
  });
});

describe("requests", () => {
  const rows = (...runs: readonly EndedRun[]): Record<string, string>[] =>
    parse(rendered("requests", ...runs), { columns: true });

  test("are one row each, with the times of the run in ms", () => {
    const { requests } = cached.details;
    const read = rows(cached);
    expect(read).toHaveLength(requests.count);
    for (const [i, row] of read.entries()) {
      expect(row).toMatchObject({ scenario: cached.forecast.scenario.name, request: `${i}`, status: "completed" });
      const arrivalNs = requests.arrivalNs[i]!;
      expect(Number(row["ttft_ms"])).toBe((requests.firstTokenNs[i]! - arrivalNs) / 1e6);
      expect(Number(row["e2e_ms"])).toBe((requests.lastTokenNs[i]! - arrivalNs) / 1e6);
      expect(Number(row["output_tokens"])).toBe(requests.outputTokens[i]);
    }
    expect(rows(cached, spread)).toHaveLength(requests.count + spread.details.requests.count);
  });

  test("have no times that did not happen, and hostile names break no row", () => {
    const { requests } = cached.details;
    const status = requests.status.map((value, i) => (i === 1 ? 4 : i === 2 ? 2 : value));
    const details = { ...cached.details, requests: { ...requests, status, classes: ['=a,"\n'] } };
    const read = rows({ ...cached, details });
    expect(read).toHaveLength(requests.count);
    expect(read[1]).toMatchObject({ status: "not arrived", arrival_ms: "", e2e_ms: "" });
    expect(read[2]).toMatchObject({ status: "running", e2e_ms: "", tpot_ms: "" });
    for (const row of read) expect(row["class"]).not.toMatch(/^=/);
  });
});
