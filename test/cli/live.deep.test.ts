import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RoutingTable } from "../../src/trace/routing-table.ts";
import { saveRoutingTable } from "../../src/trace/save-routing.ts";
import type { LiveValidation } from "../../src/validate/live/live-validation.ts";
import { distinctIds, draws } from "../trace/routing-files.ts";
import { moecast } from "./in-process.ts";

const trace = resolve("scenarios/traces/mini-moe.safetensors");
const quick = ["--backend", "wasm", "--shape", "8x12", "--seconds", "1", "-q"];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "live-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("validate --live", () => {
  const live = (...words: string[]) =>
    moecast(["validate", "--live", "--trace", trace, ...quick, "--steps", "20", "--runs", "1", ...words]);

  test("sends experts ahead as the simulator does, and says what that changed", async () => {
    const { code, out } = await live("--slots", "8", "--layers", "2", "--prefetch", "layer-markov", "--json");
    expect(code).toBe(0);
    const { hitsEqual, runs, setting } = JSON.parse(out) as LiveValidation;
    expect(hitsEqual).toBe(true);
    expect(setting.prefetch).toMatchObject({ kind: "layer-markov", cut: false });
    const { measured, predicted, countsEqual } = runs[0]!.prefetch!;
    expect(countsEqual).toBe(true);
    expect(measured.followed).toBe(predicted.followed);
    expect(measured.useful).toBeGreaterThan(0);
  }, 180_000);

  test("counts the hits that the simulator counts, in the first layers, and holds its error to a limit", async () => {
    const words = ["--slots", "12", "--layers", "2", "--max-error", "mean=0.000001", "--json"];
    const { code, out, err } = await live(...words);
    expect(code).toBe(99);
    expect(err).toMatch(/step time error/);
    const { hitsEqual, runs, setting } = JSON.parse(out) as {
      hitsEqual: boolean;
      runs: { measured: { hits: number; misses: number } }[];
      setting: { layers: number; steps: number };
    };
    expect(hitsEqual).toBe(true);
    expect(setting.layers).toBe(2);
    expect(runs[0]!.measured.hits + runs[0]!.measured.misses).toBe(setting.steps * 2 * 4);
  }, 180_000);

  test("counts the hits that the simulator counts, on the shipped trace", async () => {
    const { code, out } = await live("--slots", "12", "--json", "--export", `csv=${join(folder, "live.csv")}`);
    expect(code).toBe(0);
    const document = JSON.parse(out) as {
      hitsEqual: boolean;
      runs: { measured: { hits: number; misses: number; stepMs: { p99: number | null } } }[];
      setting: { layers: number; steps: number };
    };
    expect(document.hitsEqual).toBe(true);
    const { hits, misses, stepMs } = document.runs[0]!.measured;
    // Whole requests are run, one token a step: top-4 in each of 8 layers.
    expect(hits + misses).toBe(document.setting.steps * 8 * 4);
    expect(stepMs.p99).toBeNull();
    expect(await readFile(join(folder, "live.csv"), "utf8")).toContain(`run 1,hits,${hits},${hits},`);
  });

  test("leaves short sequences of a trace out, and says so", async () => {
    const draw = draws(3);
    const lengths = [1, 20, 3, 18];
    const rows = lengths.reduce((sum, length) => sum + length, 0);
    const path = join(folder, "short.safetensors");
    const table: RoutingTable = {
      experts: 8,
      topK: 2,
      layers: 2,
      rows,
      ids: Uint8Array.from(Array.from({ length: 2 * rows }, () => distinctIds(draw, 8, 2)).flat()),
      sequenceStarts: Uint32Array.of(0, 1, 21, 24, 42),
      domains: ["d"],
      domainStarts: Uint32Array.of(0, rows),
      modelLayers: [0, 1],
      origin: { kind: "synthesised", name: "short", digest: "", sourceRows: 42, phase: "unknown", notes: [] },
    };
    await saveRoutingTable(table, "short", path);
    const words = ["validate", "--live", "--trace", path, ...quick, "--steps", "30", "--runs", "1", "--slots", "4"];
    const { out, code } = await moecast(words);
    expect(code).toBe(0);
    expect(out).toContain("2 sequences of the trace are too short and left out");
    expect(out).toMatch(/36 steps/);
  });
});

describe("calibrate --live", () => {
  test("writes profiles that a scenario beside them runs on", async () => {
    const machine = join(folder, "machine");
    const measured = await moecast(["calibrate", "--live", ...quick, "--batch", "2", "-o", machine]);
    expect(measured.code).toBe(0);
    expect(measured.out).toContain("dense products");
    const run = await moecast(["run", join(machine, "scenario.yaml"), "--summary", "compact"]);
    expect(run.code).toBe(0);
    expect(run.out).toContain("through tfjs wasm");
  });
});
