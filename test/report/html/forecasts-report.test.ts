import { describe, expect, test } from "vitest";
import { withoutPage } from "../../../src/forecast/embedded-results.ts";
import type { Forecast } from "../../../src/forecast/forecast.ts";
import { readForecasts } from "../../../src/forecast/read-forecast.ts";
import { forecastsReport } from "../../../src/report/html/forecasts-report.ts";
import { forecast, overloaded, tooShort, verdict } from "../build.ts";
import { pictured } from "./pictured.ts";

const whole = () => forecast({ picture: pictured() });

/** Tags of a page outside of its scripts and style, with those that open and do not close. */
const tagsOf = (page: string) =>
  [...page.replace(/<(script|style)[\s\S]*?<\/\1>/g, "").matchAll(/<(\/?)([a-z0-9]+)/gi)].map(
    ([, end, name]) => `${end}${name}`,
  );

describe("a page", () => {
  const page = forecastsReport([whole()]);

  test("holds the results that it shows", () => {
    expect(readForecasts(page, "report.html").forecasts).toEqual([whole()]);
    expect(readForecasts(forecastsReport([whole(), overloaded()]), "report.html").forecasts).toEqual([
      whole(),
      overloaded(),
    ]);
  });

  test("is the same for the same results, and another for others", () => {
    expect(forecastsReport([whole()])).toBe(page);
    expect(forecastsReport([forecast()])).not.toBe(page);
    expect(forecastsReport(readForecasts(page, "report.html").forecasts)).toBe(page);
  });

  test("asks nothing of anybody: no address in it, a policy that forbids all but its own style and script", () => {
    const without = page.replace(/<script type="application\/json"[\s\S]*?<\/script>/, "");
    expect(without).not.toMatch(/https?:|\bsrc=|url\(|@import|javascript:/i);
    expect(page).toMatch(
      /content="default-src &#39;none&#39;; style-src &#39;sha256-[\w+/=]+&#39;; script-src &#39;sha256-[\w+/=]+&#39;;/,
    );
    expect(without).not.toMatch(/\sstyle="|\son[a-z]+="/);
  });

  test("closes what it opens, and leads only to what is there, once", () => {
    const open: string[] = [];
    for (const tag of tagsOf(page)) {
      if (["meta", "input", "br"].includes(tag)) continue;
      if (tag.startsWith("/")) expect(open.pop()).toBe(tag.slice(1));
      else open.push(tag);
    }
    expect(open).toEqual([]);
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of page
      .replace(/<script>[\s\S]*<\/script>/, "")
      .matchAll(/(?:href="#|aria-labelledby="|aria-describedby=")([^"]+)"/g))
      expect(ids).toContain(id);
  });

  test("has its parts in the order in which readers ask", () => {
    const headings = [...page.matchAll(/<h2 id="([^"]+)"/g)].map(([, id]) => id);
    expect(headings).toEqual([
      "figures",
      "slos",
      "time",
      "load",
      "experts",
      "cache",
      "memory",
      "links",
      "cost",
      "ledger",
      "inputs",
      "commands",
      "definitions",
    ]);
  });

  test("shows each figure of a table that the terminal shows", () => {
    for (const { metric, valueText } of whole().slos)
      for (const text of [metric, valueText]) expect(page).toContain(`<td>${text}</td>`);
    for (const { detail } of whole().ledger) expect(page).toContain(detail.replaceAll("'", "&#39;"));
    for (const { sha256 } of whole().inputs) expect(page).toContain(sha256.slice(0, 16));
  });
});

describe("the verdict", () => {
  const verdictOf = (changes: Partial<Forecast>) =>
    /class="verdict (\w+)">([^<]*)</.exec(forecastsReport([forecast(changes)]))!.slice(1);

  test("names the tightest SLO and its margin where all are met", () => {
    const slos = [
      verdict({ margin: 0.4 }),
      verdict({ metric: "tpot", expression: "p(50)&lt;9ms".replace("&lt;", "<"), margin: 0.1, valueText: "8 ms" }),
    ];
    expect(verdictOf({ slos, passed: true, baseline: null })).toEqual([
      "good",
      "Meets all 2 SLOs; the tightest is tpot p(50)&lt;9ms at 8 ms, a margin of 10.0%.",
    ]);
  });

  test("names what is missed, and by how much", () => {
    const slos = [verdict(), verdict({ passed: false, margin: -0.5, valueText: "1.2 s" })];
    expect(verdictOf({ slos, passed: false, baseline: null })).toEqual([
      "bad",
      "Misses 1 of 2 SLOs: ttft p(99)&lt;800ms at 1.2 s, 50.0% beyond the limit.",
    ]);
  });

  test("never calls an overloaded run good, and gives none of its latencies", () => {
    const page = forecastsReport([overloaded()]);
    expect(page).toMatch(/class="verdict bad">Cannot keep up with its load/);
    expect(page).not.toMatch(/TTFT p99|<h3[^>]*>E2E/);
  });

  test("says that a run is too short to tell, or was interrupted", () => {
    expect(forecastsReport([tooShort()])).toMatch(/class="verdict \w+">[^<]*too short to tell/);
    expect(verdictOf({ interrupted: true })[1]).toMatch(/^Interrupted at /);
  });
});

test("percentiles of few samples stand with their interval, in figures, captions and tables", () => {
  const few = {
    ...forecast().latency.ttft,
    intervals: { p99: { lowMs: 240, highMs: null }, p999: { lowMs: 260, highMs: null } },
  };
  const one = forecast({ picture: pictured(), latency: { ...forecast().latency, ttft: few } });
  for (const page of [forecastsReport([one]), forecastsReport([one, one])]) {
    expect(page).toContain("at least 240 ms");
    expect(page).not.toMatch(/"figure">250 ms|p99 250 ms/);
  }
});

test("results of one scenario are told apart by what is laid over it", () => {
  const laid = (name: string) => forecast({ inputs: [{ role: "override", name, sha256: "0".repeat(64) }] });
  const page = forecastsReport([laid("seed=1"), laid("seed=2"), laid("seed=2")]);
  for (const name of ["small with seed=1", "small with seed=2 (2)", "small with seed=2 (3)"])
    expect(page).toContain(`>${name}</h2>`);
});

test("no name becomes markup, whatever it is", () => {
  const names = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>',
    "<!-- ",
    "]]>",
    "\u202egpj.exe\u001b[2J",
    "x".repeat(10_000),
  ];
  for (const name of names) {
    const hostile = forecast({
      picture: { ...pictured(), experts: pictured().experts.map((of) => ({ ...of, pool: name })) },
      scenario: { name, description: name, file: name },
      deployment: { ...forecast().deployment, model: name, device: name, placement: name, offload: name, engine: name },
      resources: [{ name, busyNs: 1, bytes: 5, utilisation: 0.5 }],
      ledger: [{ topic: name, fidelity: "assumed", detail: name }],
      inputs: [{ role: "override", name, sha256: "ab".repeat(32) }],
      memory: { ...forecast().memory, tiers: forecast().memory.tiers.map((tier) => ({ ...tier, tier: name })) },
    });
    const plain = { ...hostile, scenario: { ...hostile.scenario, name: "n" } };
    for (const page of [forecastsReport([hostile]), forecastsReport([hostile, plain])]) {
      expect(page.match(/<script/g)).toHaveLength(2);
      expect(page).not.toMatch(/<img|<!--/);
      for (const mark of ["\u001b", "\u202e"]) expect(page.includes(mark)).toBe(false);
      expect(tagsOf(page).filter((tag) => tag === "script" || tag === "img")).toEqual([]);
      expect(JSON.parse(withoutPage(page))).toBeTruthy();
    }
  }
});

test("damaged pictures are left out of the page, and never drawn as something else", () => {
  const [experts] = pictured().experts;
  const [cache] = pictured().caches;
  const damaged = forecast({
    picture: {
      latency: { ...pictured().latency, shares: [0, 1] },
      experts: [{ ...experts!, byExpert: ["1 2", "x"], byRank: ["", ""] }],
      caches: [{ ...cache!, sizes: [1] }],
    },
  });
  const page = forecastsReport([damaged]);
  for (const title of ["Tokens by expert", "Tokens by rank", "Hit rate by cache size", "TTFT"])
    expect(page).not.toMatch(new RegExp(`<h3[^>]*>${title}</h3>`));
});
