import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { write } = scratch();
const small = "small.yaml";
const bench = (ttftMs: number, tpotMs: number) =>
  JSON.stringify({ completed: 50, max_concurrency: 4, mean_ttft_ms: ttftMs, mean_tpot_ms: tpotMs });
const slow = write("slow.json", bench(60, 8.5));

/** Text as it was before lines were broken. */
const unwrapped = (text: string): string => text.replaceAll(/\s+/g, " ");

interface Shown {
  readonly latency: { readonly tpot: { readonly mean: number } };
  readonly ledger: readonly { readonly topic: string; readonly detail: string }[];
  readonly inputs: readonly { readonly role: string; readonly name: string; readonly sha256: string }[];
}
const shown = async (...words: readonly string[]) =>
  JSON.parse((await moecast(["run", small, "--no-thresholds", "--json", ...words])).out) as Shown;

describe("--observed", () => {
  test("adjusts the forecast of a scenario, and says so in ledger and inputs", async () => {
    const [plain, observed] = [await shown(), await shown("--observed", slow)];
    expect(observed.latency.tpot.mean).toBeGreaterThan(plain.latency.tpot.mean);
    expect(observed.ledger.find(({ topic }) => topic === "observed")?.detail).toContain("slow.json");
    expect(observed.inputs.find(({ role }) => role === "observed")).toMatchObject({ name: "slow.json" });
    expect(plain.inputs.some(({ role }) => role === "observed")).toBe(false);
  });

  test("says in every output that a point cannot be reached, and narrows nothing by it", async () => {
    const absurd = write("absurd.json", bench(60, 0.01));
    const refused = await moecast(["run", small, "--observed", absurd]);
    expect(refused).toMatchObject({ code: 3, err: expect.stringMatching(/0\.00 times the forecast/) });
    const words = ["run", small, "--no-thresholds", "--observed", absurd, "--accept-differences"];
    const told =
      /the observed point cannot be reached: TPOT forecast [\d.]+ .?s, observed 10 .s \(absurd\.json: 4 clients/;
    const { out: json } = await moecast([...words, "--json"]);
    const { bands } = JSON.parse(json) as { bands: { unvalidated: string; basis: string } };
    expect(bands.unvalidated).toMatch(told);
    expect(bands.basis).not.toContain("observed");
    const folder = dirname(absurd);
    const exports = ["markdown", "junit"].map((name) => `${name}=${join(folder, `out.${name}`)}`);
    const { out } = await moecast([...words, ...exports.flatMap((each) => ["--export", each])]);
    expect(unwrapped(out)).toMatch(told);
    expect(unwrapped(out)).not.toContain("one measured point of this deployment");
    for (const each of exports) expect(unwrapped(readFileSync(each.split("=")[1]!, "utf8")), each).toMatch(told);
    const against = await moecast([
      "validate",
      "--against",
      slow,
      "--scenario",
      small,
      "--observed",
      absurd,
      "--accept-differences",
    ]);
    expect(unwrapped(against.out)).toMatch(told);
  });

  test("goes with one scenario only", async () => {
    const { code, err } = await moecast(["run", small, small, "--observed", slow]);
    expect(code).toBe(2);
    expect(err).toContain("one scenario");
  });

  test("exits 3 for a file that is no measurement, or states no TPOT", async () => {
    const strange = write("strange.json", "{}");
    const silent = write("silent.json", JSON.stringify({ completed: 5, max_concurrency: 4, mean_ttft_ms: 5 }));
    const [first, second] = [
      await moecast(["run", small, "--observed", strange]),
      await moecast(["run", small, "--observed", silent]),
    ];
    expect([first.code, second.code]).toEqual([3, 3]);
    expect(first.err).toContain("a measurement in a known format");
    expect(second.err).toContain("TPOT");
  });

  test("brings the validation of another benchmark closer, and stays out of modes without a deployment", async () => {
    const other = write("other.json", bench(60, 8.5).replace('"max_concurrency":4', '"max_concurrency":2'));
    const error = async (...words: readonly string[]) => {
      const { out } = await moecast([
        "validate",
        "--against",
        other,
        "--scenario",
        small,
        "--json",
        "--accept-differences",
        ...words,
      ]);
      const { figures } = JSON.parse(out) as { figures: { metric: string; errorPercent: number }[] };
      return Math.abs(figures.find(({ metric }) => metric === "tpot")?.errorPercent ?? 0);
    };
    expect(await error("--observed", slow)).toBeLessThan(await error());
    const { code, err } = await moecast(["validate", "--kernels", "tables", "--observed", slow]);
    expect(code).toBe(2);
    expect(err).toContain("--observed does not apply");
  });
});
