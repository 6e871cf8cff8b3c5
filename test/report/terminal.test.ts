import fc from "fast-check";
import { expect, test } from "vitest";
import { displayWidth } from "../../src/report/display-width.ts";
import { headline } from "../../src/report/headline.ts";
import { terminalSummary } from "../../src/report/terminal.ts";
import { plainStyle, tableRows, textTable, wrap } from "../../src/report/text-table.ts";
import { delta, forecast, overloaded, verdict } from "./build.ts";

const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { maxLength: 30 }).map((parts) => parts.join(" "));

test("the compact summary is the beginning of the full one", () => {
  for (const one of [forecast(), overloaded(), forecast({ interrupted: true })]) {
    const compact = terminalSummary(one, plainStyle, "compact");
    const full = terminalSummary(one, plainStyle, "full");
    expect(full.startsWith(compact.trimEnd())).toBe(true);
    expect(full.length).toBeGreaterThan(compact.length);
  }
});

test("the full summary holds what a forecast promises", () => {
  const text = terminalSummary(forecast());
  const shown = [
    "FAIL 1 of 2 SLOs met",
    "308.6 per device",
    "TTFT",
    "TPOT",
    "ITL",
    "E2E",
    "queue",
    "TTFT summary",
    "acceptance length",
    "600 of 800 drafts accepted",
    "imbalance",
    "optimum (Belady)   72.00%",
    "best fixed set",
    "Toy GPU memory 12 GiB of 16 GiB",
    "routed experts  8 GiB",
    "bottleneck: experts, 60.0% of step time",
    "expert fetch  40.0%",
    "replayed  routing",
    "sha256 0123456789abcdef",
    "seed 7",
    "$2.25",
  ];
  for (const part of shown) expect(text).toContain(part);
});

test("no line is wider than the terminal, from 60 cells on", () => {
  fc.assert(
    fc.property(fc.integer({ min: 60, max: 140 }), words, (width, description) => {
      const one = forecast({
        scenario: { name: "small", description, file: "small.yaml" },
        ledger: [{ topic: "routing", fidelity: "replayed", detail: description }],
        slos: [verdict({ reason: description })],
      });
      for (const line of terminalSummary(one, plainStyle, "full", width).split("\n"))
        expect(displayWidth(line)).toBeLessThanOrEqual(width);
    }),
  );
});

test("names cannot drive the terminal, nor forge a line of the summary", () => {
  const evil = "\u001b[31mx\n\u009b2J\r\nPASS 9/9 SLOs\u202e";
  const one = forecast({
    scenario: { name: evil, description: evil, file: evil },
    deployment: { ...forecast().deployment, model: evil, device: evil, engine: evil, placement: evil, offload: evil },
    ledger: [{ topic: evil, fidelity: "assumed", detail: evil }],
    slos: [verdict({ metric: `ttft{class:${evil}}`, reason: evil })],
    inputs: [{ role: evil, name: evil, sha256: evil }],
    resources: [{ name: evil, busyNs: 1, bytes: 0, utilisation: 0.5 }],
    engineVersion: evil,
    memory: {
      ...forecast().memory,
      tiers: [{ tier: evil, capacityBytes: 2, usedBytes: 1, items: [{ name: evil, bytes: 1 }] }],
    },
  });
  const text = terminalSummary(one);
  expect(text).not.toMatch(/(?!\n)\p{Cc}|\u202e/u);
  expect(text.split("\n").filter((line) => line.startsWith("PASS"))).toEqual([]);
});

test("columns line up, whatever their cells hold", () => {
  const cell = fc.oneof(fc.stringMatching(/^[a-z]{0,9}$/), fc.constantFrom("盘古", "e\u0301", "🚀"));
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, fc.constant("|")), { minLength: 1, maxLength: 6 }), (rows) => {
      const ends = textTable(rows, { align: ["left", "right"] }).map((line) => displayWidth(line));
      expect(new Set(ends).size).toBe(1);
    }),
  );
});

test("wrapping loses no word, and a wrapped table no cell", () => {
  fc.assert(
    fc.property(words, fc.integer({ min: 20, max: 100 }), (text, width) => {
      expect(wrap(text, width).join(" ")).toBe(text);
      const lines = tableRows([["name", "value", text]], { width }).flat();
      expect(lines.join(" ").replace(/\s+/g, " ").trim()).toBe(`name value ${text}`.trim());
    }),
  );
});

test("a margin far beyond the limit is a multiple of it", () => {
  const far = forecast({ slos: [verdict({ passed: false, margin: -420.1 })] });
  expect(terminalSummary(far)).toContain("421x the limit");
});

test("a deployment that completed nothing while overloaded sustains an unknown rate, not zero", () => {
  const { saturation } = overloaded();
  const text = terminalSummary(forecast({ saturation: { ...saturation, sustainedRequestsPerSecond: 0 } }));
  expect(text).not.toContain("sustains 0");
  expect(terminalSummary(overloaded())).toContain("sustains 12 requests/s");
});

test("the headline of a run that served nothing says so", () => {
  const one = forecast();
  const fates = { ...one.requests, total: 20, completed: 0, rejected: 20, unfinished: 0 };
  expect(headline({ ...one, slos: [], requests: fates })).toMatch(/^ALL 20 REQUESTS REJECTED \| NOTHING SERVED \|/);
});

test("regressions turn the headline into a failure, and say that it is not the SLOs", () => {
  const one = forecast({ slos: [verdict()], passed: true, baseline: [delta()] });
  const text = terminalSummary(one);
  expect(text).toContain("FAIL 1 regression, 1 of 1 SLOs met");
  expect(text).toMatch(/FAIL {2}ttft.p99 +100 ms +150 ms +worse by 50.0% +5% +±12.0%/);
  expect(headline({ ...one, baseline: [delta({ failed: false })] })).toMatch(/^PASS no regression, 1 of 1 SLOs met \|/);
  expect(headline({ ...one, slos: [], baseline: [delta(), delta()] })).toMatch(/^FAIL 2 regressions \|/);
  const failed = verdict({ passed: false });
  expect(headline({ ...one, slos: [failed], passed: false })).toMatch(/^FAIL 0 of 1 SLOs met, 1 regression \|/);
});

test("regressions come first in the comparison, and what is the same is counted", () => {
  const baseline = [
    delta({ metric: "ttft.p50", after: 90, worseBy: -10, regression: -0.1, failed: false }),
    delta({ metric: "ttft.p90", after: 100, worseBy: 0, regression: 0, failed: false }),
    delta(),
  ];
  const baselineRun = { scenario: "small", engineVersion: "9.9.8", seed: 3, otherDraws: ["seed", "requests"] };
  const lines = terminalSummary(forecast({ baseline, baselineRun }), plainStyle, "full", 140).split("\n");
  const at = lines.indexOf("Against the baseline");
  expect(lines[at + 1]).toMatch(/^ {2}other draws \(seed, requests\): .*; moecast 9.9.8 before, 9.9.9 now$/);
  expect(lines[at + 3]).toMatch(/^ {2}FAIL {2}ttft.p99 /);
  expect(lines[at + 4]).toMatch(/^ {2}ok {4}ttft.p50 .* better by 10.0%/);
  expect(lines[at + 5]).toBe("  1 of 3 metrics are the same to the last digit");
});
