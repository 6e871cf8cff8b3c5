import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Forecast } from "../../src/forecast/forecast.ts";
import { displayWidth } from "../../src/report/display-width.ts";
import { headline, verdictOf } from "../../src/report/headline.ts";
import { markdownReport } from "../../src/report/markdown.ts";
import { terminalSummary } from "../../src/report/terminal.ts";
import { plainStyle, tableRows, textTable, wrap } from "../../src/report/text-table.ts";
import { delta, forecast, overloaded, stats, tooShort, verdict } from "./build.ts";

/** As paths, lists of layers and digests are written. */
const longWords = fc.array(fc.stringMatching(/^[a-z,/_]{20,200}$/), { maxLength: 6 }).map((parts) => parts.join(" "));
const words = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { maxLength: 30 }).map((parts) => parts.join(" "));

test("each level begins as the one below it, and ends with the verdict", () => {
  for (const one of [forecast(), overloaded(), tooShort(), forecast({ interrupted: true })]) {
    const texts = (["compact", "standard"] as const).map((level) => terminalSummary(one, plainStyle, level));
    const [compact = "", standard = ""] = texts.map((text) => text.split("\n\n").slice(0, -1).join("\n\n"));
    expect(standard.startsWith(compact)).toBe(true);
    expect(standard.length).toBeGreaterThan(compact.length);
    const full = terminalSummary(one, plainStyle, "full");
    expect(full.length).toBeGreaterThan(standard.length);
    expect(full).toContain("\nDefinitions\n");
    expect(standard).not.toContain("Definitions");
    for (const text of [...texts, full])
      expect(
        text
          .split("\n\n")
          .at(-1)
          ?.startsWith(`small: ${verdictOf(one)}`),
      ).toBe(true);
  }
});

test("the last lines name what failed, the largest regressions first", () => {
  const last = (one: Forecast) => terminalSummary(one, plainStyle, "compact", 300).trimEnd().split("\n").at(-1);
  expect(last(forecast())).toBe("small: FAIL 1 of 2 SLOs met: tpot{class:chat} p(50)<10ms (31 ms)");
  const baseline = [0.1, 0.3, 0.2, 0.5, 0.4].map((regression, i) => delta({ metric: `m${i}`, regression }));
  expect(last(forecast({ slos: [], passed: true, baseline }))).toBe(
    "small: FAIL 5 regressions: m3 worse by 50.0%, m4 worse by 40.0%, m1 worse by 30.0%, m2 worse by 20.0% and 1 more",
  );
  expect(last(forecast({ slos: [verdict()], passed: true }))).toBe("small: PASS 1 of 1 SLOs met");
});

test("long entries of the ledger are cut at the standard level, which says so, and whole at the full one", () => {
  const detail = Array.from({ length: 200 }, (_, i) => `word${i}`).join(" ");
  const one = forecast({ ledger: [{ topic: "routing", fidelity: "replayed", detail }] });
  const [standard, full] = (["standard", "full"] as const).map((level) => terminalSummary(one, plainStyle, level, 80));
  expect(standard).toMatch(/ word\d+ \.\.\.\n {2}entries that end with \.\.\. are whole with --summary full\n/);
  expect(full).toContain("word199");
  expect(terminalSummary(forecast())).not.toContain("whole with");
});

test("a headline breaks between its parts", () => {
  const lines = terminalSummary(forecast(), plainStyle, "compact", 60).split("\n");
  const at = lines.findIndex((line) => line.startsWith("FAIL"));
  expect(lines[at]).toMatch(/\|$/);
  expect(
    lines
      .slice(at, at + 3)
      .join("")
      .replaceAll(/\| {2}/g, "| "),
  ).toContain(headline(forecast()));
});

test("the full summary holds what a forecast promises", () => {
  const text = terminalSummary(forecast(), plainStyle, "full");
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
    "missing experts  40.0%",
    "replayed  routing",
    "sha256 0123456789abcdef",
    "seed 7",
    "$2.25",
  ];
  for (const part of shown) expect(text).toContain(part);
});

test("where nothing is saturated, the bottleneck is none and the largest part of a step stands beside it", () => {
  for (const utilisation of [0, 0.41, 0.799, 0.8, 1]) {
    const one = forecast({ resources: [{ name: "replica 0", busyNs: 1, bytes: 0, utilisation }] });
    for (const text of [terminalSummary(one, plainStyle, "compact", 200), markdownReport(one)])
      expect(/ottleneck: (.*?)\.?$/m.exec(text)?.[1]).toBe(
        utilisation < 0.8
          ? `none, nothing is busy above ${(100 * utilisation).toFixed(1)}% of the time; most of a step: experts, 60.0%`
          : "experts, 60.0% of step time",
      );
  }
});

describe("advice", () => {
  const figure = { metric: "TPOT p50", unit: "ms", before: 268, after: 155 } as const;
  const cost = { metric: "output tokens/s", unit: "number", before: 900, after: 820 } as const;
  const told = (parts: Partial<NonNullable<Forecast["bottleneck"]["advice"]>>) =>
    forecast({
      bottleneck: {
        component: "promptWait",
        share: 0.4,
        advice: { metric: "TPOT p50", requests: 300, tried: 3, helps: [], ...parts },
      },
    });
  const help = {
    text: "prompts in smaller chunks",
    set: ["engine.maxNumBatchedTokens=2048"],
    ...figure,
    costs: [cost],
  };
  const shown = (one: Forecast) => [
    terminalSummary(one, plainStyle, "full", 200),
    markdownReport(one).replaceAll("\\", ""),
  ];

  test("is a change with its settings, what it improves and what it costs", () => {
    for (const text of shown(told({ helps: [help] }))) {
      expect(text).toMatch(/ottleneck: wait for another rank's prompt, 40.0% of step time/);
      expect(text).toMatch(
        /advice: prompts in smaller chunks \(--set engine.maxNumBatchedTokens=2048\): TPOT p50 268 ms -(>|&gt;) 155 ms over 300 requests, at the cost of output tokens\/s 900 -(>|&gt;) 820/,
      );
    }
  });

  test("says that nothing helped, or that nothing applies; where nothing was tried there is none", () => {
    for (const text of shown(told({})))
      expect(text).toContain("advice: none, none of the 3 changes tried over 300 requests improves TPOT p50");
    for (const text of shown(told({ tried: 1 })))
      expect(text).toContain("advice: none, the one change tried over 300 requests does not improve TPOT p50");
    for (const text of shown(told({ tried: 0, requests: 0 })))
      expect(text).toContain("advice: none, no change on the same devices applies");
    const untried = forecast({ bottleneck: { component: "experts", share: 0.6, advice: null } });
    for (const text of shown(untried)) expect(text).not.toContain("advice:");
  });
});

test("no line is wider than the terminal, from 60 cells on", () => {
  fc.assert(
    fc.property(fc.integer({ min: 60, max: 140 }), fc.oneof(words, longWords), (width, description) => {
      const one = forecast({
        scenario: { name: "small", description, file: "small.yaml" },
        ledger: [{ topic: "routing", fidelity: "replayed", detail: description }],
        slos: [verdict({ reason: description, passed: false, valueText: "612 ms" })],
        inputs: [{ role: "scenario", name: description, sha256: "0123456789abcdef" }],
        baseline: [
          delta({
            metric: "throughputPerDevice",
            unit: "tok/s",
            before: 1_234_567,
            after: 1_000_000,
            worseBy: 234_567,
          }),
          delta({ metric: "queue.p99", before: 123, after: 99_999, regression: 811.9 }),
        ],
        baselineRun: { scenario: description, moecastVersion: "9.9.8", seed: 1, otherDraws: ["seed", "requests"] },
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
    moecastVersion: evil,
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

test("a word that is longer than a line is broken, behind punctuation where there is any, and nothing is lost", () => {
  expect(wrap("0,0,0,1,1,1,2,2,2,3,3,3", 10)).toEqual(["0,0,0,1,1,", "1,2,2,2,3,", "3,3"]);
  expect(wrap("an abcdefghijklmnop", 6)).toEqual(["an", "abcdef", "ghijkl", "mnop"]);
  fc.assert(
    fc.property(longWords, fc.integer({ min: 4, max: 60 }), (text, width) => {
      const lines = wrap(text, width);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
    }),
  );
});

test("a margin far beyond the limit is a multiple of it", () => {
  const far = forecast({ slos: [verdict({ passed: false, margin: -420.1 })] });
  expect(terminalSummary(far)).toContain("421x the limit");
});

test("a deployment that completed nothing while overloaded sustains an unknown rate, not zero", () => {
  const { load } = overloaded();
  const text = terminalSummary(forecast({ load: { ...load, sustainedRequestsPerSecond: 0 } }));
  expect(text).not.toContain("sustains 0");
  expect(terminalSummary(overloaded())).toContain("sustains 12 ± 0.5 requests/s");
});

test("a run that is too short says so first, with the requests that would do, and prints its latencies beside that", () => {
  const text = terminalSummary(tooShort());
  expect(text).toContain("TOO SHORT to tell, about 4,300 requests would do");
  expect(text.replace(/\s+/g, " ")).toContain(
    "Latency too short to tell: 2,100 requests arrive in 3.1 times what one takes; 15 are needed; about 4,300 requests would do",
  );
  expect(text).toMatch(/TTFT +100 ms/);
});

test("a percentile of few samples is marked and given by its interval, open where no sample bounds it", () => {
  const { latency } = forecast();
  const ttft = {
    ...stats(100, 209),
    intervals: { p50: { lowMs: 0, highMs: 95 }, p90: { lowMs: 140, highMs: 160 }, p99: { lowMs: 240, highMs: null } },
  };
  const text = terminalSummary(forecast({ latency: { ...latency, ttft } }), plainStyle, "full", 140);
  expect(text).toMatch(/<= 95 ms \* +140 ms to 160 ms \* +180 ms +>= 240 ms \*/);
  expect(text).toContain("  * fewer than ten samples lie beyond this percentile");
  const none = { ...ttft, intervals: {} };
  const whole = forecast({
    latency: { ttft: none, tpot: none, itl: none, e2e: none, queue: none },
    latencyByClass: {},
  });
  expect(terminalSummary(whole, plainStyle, "compact")).not.toContain("*");
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

test("the comparison shows regressions and what the interval excuses, at the full level every change, and counts the rest", () => {
  const baseline = [
    delta({ metric: "ttft.p50", after: 90, worseBy: -10, regression: -0.1, failed: false }),
    delta({ metric: "ttft.p90", after: 100, worseBy: 0, regression: 0, failed: false }),
    delta({ metric: "e2e.p99", after: 110, worseBy: 10, regression: 0.1, failed: false }),
    delta(),
  ];
  const baselineRun = { scenario: "small", moecastVersion: "9.9.8", seed: 3, otherDraws: ["seed", "requests"] };
  const lines = (level: "compact" | "full") => {
    const all = terminalSummary(forecast({ baseline, baselineRun }), plainStyle, level, 140).split("\n");
    const at = all.indexOf("Against the baseline");
    return all.slice(at + 1, all.indexOf("", at));
  };
  expect(lines("compact")).toEqual([
    "  other draws (seed, requests): what differs may be their noise; moecast 9.9.8 before, 9.9.9 now",
    expect.stringMatching(/^ {8}metric +before +now +change +limit +interval$/),
    expect.stringMatching(/^ {2}FAIL {2}ttft.p99 /),
    expect.stringMatching(/^ {2}ok {4}e2e.p99 .* worse by 10.0% +5% +±12.0%$/),
    "  of 4 metrics 1 changed within their limits, 1 the same to the last digit",
  ]);
  expect(lines("full").slice(3, 5)).toEqual([
    expect.stringMatching(/^ {2}ok {4}ttft.p50 .* better by 10.0%/),
    expect.stringMatching(/^ {2}ok {4}e2e.p99 /),
  ]);
  expect(lines("full").at(-1)).toBe("  of 4 metrics 1 the same to the last digit");
});
