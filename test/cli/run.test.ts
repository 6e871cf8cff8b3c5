import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readForecast } from "../../src/forecast/read-forecast.ts";
import { scenarios, scratch, spawned } from "./command.ts";
import { moecast } from "./in-process.ts";

const { folder, path, write } = scratch();
const small = "small.yaml";
const failing = ["--threshold", "tpot: p(50)<1us"];

describe("moecast run", () => {
  test("prints a summary on stdout alone and exits 0 when every error-level SLO holds", async () => {
    const { code, out, err } = await spawned(["run", small]);
    expect(code).toBe(0);
    expect(out).toMatch(/^PASS 1 of 1 SLOs met/m);
    expect(out).toMatch(/^ {2}warn {2}ttft +p\(50\)<1us/m);
    expect(err).toBe("");
    expect(out).not.toContain("\u001b");
  });

  test("prints the same bytes in every run, as JSON and as export", async () => {
    const exported = path("result.json");
    const [first, second] = await Promise.all([
      spawned(["run", small, "--json", "--export", `json=${exported}`]),
      moecast(["run", small, "--json"]),
    ]);
    expect(first.code).toBe(0);
    expect(second.out).toBe(first.out);
    expect(readFileSync(exported, "utf8")).toBe(first.out);
    expect(readForecast(first.out, "stdout").scenario.name).toBe("small");
  });

  test("tries changes against the bottleneck unless told not to, and says what came of it", async () => {
    const [tried, plain] = [
      await moecast(["run", small, "--json"]),
      await moecast(["run", small, "--json", "--no-advice"]),
    ];
    const of = ({ out }: typeof tried) => readForecast(out, "stdout");
    expect(of(tried).bottleneck.advice?.tried).toBeGreaterThan(0);
    expect(of(plain).bottleneck.advice).toBeNull();
    expect({ ...of(tried), bottleneck: null }).toEqual({ ...of(plain), bottleneck: null });
    expect((await moecast(["run", small])).out).toMatch(/^advice: /m);
    expect((await moecast(["run", small, "--no-advice"])).out).not.toMatch(/^advice: /m);
  });

  test("a summary shows more from level to level, and each ends with the verdict and what failed", async () => {
    const [compact, standard, full] = await Promise.all([
      moecast(["run", small, ...failing, "--summary", "compact"]),
      moecast(["run", small, ...failing]),
      moecast(["run", small, ...failing, "--summary", "full"]),
    ]);
    const verdict = /\n\nsmall: FAIL 1 of 2 SLOs met: tpot p\(50\)<1us \([\d.]+ ms\)\n$/;
    for (const { out } of [compact, standard, full]) expect(out).toMatch(verdict);
    const headings = ["Throughput", "Fidelity ledger", "Definitions"];
    const shown = [compact, standard, full].map(({ out }) =>
      headings.filter((heading) => out.includes(`\n${heading}`)),
    );
    expect(shown).toEqual([headings.slice(0, 1), headings.slice(0, 2), headings]);
  });

  test("exits 99 for an SLO that fails, unless thresholds are off", async () => {
    const [failed, off, scenario] = await Promise.all([
      moecast(["run", small, ...failing]),
      moecast(["run", small, ...failing, "--no-thresholds"]),
      moecast(["run", small, "--set", "slo.tpot=p(50)<1us"]),
    ]);
    expect(failed.code).toBe(99);
    expect(failed.out).toMatch(/^ {2}FAIL {2}tpot +p\(50\)<1us/m);
    expect(off.code).toBe(0);
    expect(off.out).toMatch(/^ {2}FAIL {2}tpot/m);
    expect(scenario.code).toBe(99);
  });

  test("the seed of the command line wins over the one that is set, and changes the run", async () => {
    const runs = await Promise.all([
      moecast(["run", small, "--json", "--set", "seed=3", "--seed", "4"]),
      moecast(["run", small, "--json", "--set", "seed=4"]),
      moecast(["run", small, "--json", "--seed", "5"]),
    ]);
    const [both, four, five] = runs.map(({ out }) => readForecast(out, "stdout"));
    expect(both?.seed).toBe(4);
    expect(both?.latency).toEqual(four?.latency);
    expect(both?.latency).not.toEqual(five?.latency);
  });

  test("goes on after a scenario that cannot be used, and ends with the most serious code", async () => {
    const junit = path("several.xml");
    const { code, out, err } = await moecast([
      "run",
      small,
      "missing.yaml",
      small,
      ...failing,
      "--summary",
      "compact",
      "--export",
      `junit=${junit}`,
    ]);
    expect(code).toBe(3);
    expect(out.match(/^FAIL 1 of 2 SLOs met/gm)?.length).toBe(2);
    expect(out).toMatch(/^Scenarios\n {2}small.yaml .*\n {2}missing.yaml .*\n {2}small.yaml /m);
    expect(err).toBe("missing.yaml: expected a file that exists\n");
    expect(readFileSync(junit, "utf8")).toMatch(/<testsuites tests="7" failures="2" errors="1"/);
  });

  test("prints an array for several scenarios, even if only one of them gives a forecast", async () => {
    const { code, out } = await moecast(["run", small, "missing.yaml", "--json"]);
    expect(code).toBe(3);
    expect(JSON.parse(out)).toHaveLength(1);
  });
});

describe("a baseline", () => {
  test("passes against itself, fails with 99 on a regression, and refuses what is no forecast", async () => {
    const before = path("before.json");
    await moecast(["run", small, "--export", `json=${before}`]);
    const slower = ["--set", "traffic.osl.tokens=30"];
    const [same, worse, allowed, other] = await Promise.all([
      moecast(["run", small, "--baseline", before]),
      moecast(["run", small, "--baseline", before, ...slower]),
      moecast(["run", small, "--baseline", before, ...slower, "--max-regress", "100000%"]),
      moecast(["run", small, "--baseline", small]),
    ]);
    expect(same.code).toBe(0);
    expect(same.out).toMatch(/^PASS no regression, 1 of 1 SLOs met/m);
    expect(same.out).toMatch(/same draws \(seed 1\)[\s\S]*of (\d+) metrics \1 the same to the last digit/);
    expect(worse.code).toBe(99);
    expect(worse.out).toMatch(/FAIL \d+ regressions?, 1 of 1 SLOs met/);
    expect(allowed.code).toBe(0);
    expect(other.code).toBe(3);
    expect(other.out).toBe("");
    const partial = path("partial.json");
    writeFileSync(partial, readFileSync(before, "utf8").replace('"interrupted": false', '"interrupted": true'));
    const refused = await moecast(["run", small, "--baseline", partial]);
    expect(refused.code).toBe(3);
    expect(refused.err).toContain("expected the forecast of a whole run");
  });
});

describe("a baseline of an earlier release", () => {
  test("is compared under the current names of its keys", async () => {
    const before = path("version-2.json");
    const { out: now } = await moecast(["run", small, "--json"]);
    const earlier = now
      .replace('"schemaVersion": 3', '"schemaVersion": 2')
      .replaceAll("moecastVersion", "engineVersion");
    writeFileSync(before, earlier.replaceAll('"value":', '"observed":').replaceAll('"valueText":', '"observedText":'));
    const { code, out, err } = await moecast(["run", small, "--baseline", before]);
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toMatch(/same draws \(seed 1\)[\s\S]*of (\d+) metrics \1 the same to the last digit/);
  });
});

describe("a baseline of several scenarios", () => {
  const second = write(
    "second.yaml",
    readFileSync(`${scenarios}/${small}`, "utf8").replace("name: small", "name: second"),
  );
  const both = path("both.json");

  test("is looked up by name, whatever the order; a scenario it lacks is named, and the others still run", async () => {
    await moecast(["run", small, second, "--export", `json=${both}`]);
    const turned = await moecast(["run", second, small, "--baseline", both, "--max-regress", "0"]);
    expect(turned.code).toBe(0);
    expect(turned.err).toBe("");
    expect(turned.out.match(/^PASS no regression/gm)?.length).toBe(2);
    const third = write("third.yaml", readFileSync(second, "utf8").replace("name: second", "name: third"));
    const lacking = await moecast(["run", third, small, "--baseline", both]);
    expect(lacking.code).toBe(3);
    expect(lacking.err).toContain(`${both}: expected a forecast of "third", found ["small","second"]`);
    expect(lacking.out).toMatch(/^PASS no regression/m);
  });

  test("is refused with its place where a name comes twice or a figure is none", async () => {
    const forecasts = JSON.parse(readFileSync(both, "utf8")) as Record<string, unknown>[];
    const twice = write("twice.json", JSON.stringify([forecasts[0], forecasts[0]]));
    const text = write("text.json", JSON.stringify([forecasts[0], { ...forecasts[1], cost: {} }]));
    const found = await moecast(["run", small, "--baseline", twice]);
    expect([found.code, found.err]).toEqual([3, expect.stringContaining("[1].scenario.name: expected another name")]);
    const cost = await moecast(["run", small, "--baseline", text]);
    expect([cost.code, cost.err]).toEqual([
      3,
      expect.stringContaining("[1].cost.usdPerMillionOutputTokens: expected a number"),
    ]);
  });
});

describe("exports", () => {
  test("of what happened in the run change nothing of its result", async () => {
    const words = ["--export", `details=${path("d.json")}`, "--export", `requests=${path("r.csv")}`];
    const [with_, without] = [
      await moecast(["run", small, "--json", ...words]),
      await moecast(["run", small, "--json"]),
    ];
    expect(with_).toEqual(without);
    const { requests, throughput } = readForecast(without.out, "stdout");
    const details = JSON.parse(readFileSync(path("d.json"), "utf8"));
    expect(details.endNs / 1e9).toBeCloseTo(throughput.durationS, 6);
    expect(details.links.length).toBeGreaterThan(0);
    expect(readFileSync(path("r.csv"), "utf8").trimEnd().split("\n")).toHaveLength(1 + requests.total);
  });

  test("replace whole files, step summaries are added to, and no half file stays", async () => {
    const summary = write("summary.md", "# before\n");
    const csv = write("table.csv", "stale");
    const formats = ["csv", "markdown", "junit"].map((format) => `${format}=${path(`new/${format}.out`)}`);
    const words = ["run", small, "--summary", "compact", "--export", `github=${summary}`, "--export", `csv=${csv}x`];
    const missing = await moecast([...words, ...formats.flatMap((text) => ["--export", text])]);
    expect([missing.code, missing.out]).toEqual([2, ""]);
    expect(missing.err).toContain("(--mkdir makes it)");
    const { code } = await moecast([...words, "--mkdir", ...formats.flatMap((text) => ["--export", text])]);
    expect(code).toBe(0);
    expect(readFileSync(summary, "utf8")).toMatch(/^# before\n### small: PASS/);
    expect(readFileSync(`${csv}x`, "utf8")).toMatch(/^scenario,metric,value,unit,verdict\nsmall,ttft_mean,/);
    expect(readdirSync(path("new")).sort()).toEqual(["csv.out", "junit.out", "markdown.out"]);
    expect(readdirSync(folder).filter((name) => name.includes("partial") && !name.endsWith(".json"))).toEqual([]);
  });

  test("of a run without a forecast leave earlier results alone, but a pipeline's report says what failed", async () => {
    const [json, junit] = [path("none.json"), path("none.xml")];
    const { code, err } = await moecast([
      "run",
      "missing.yaml",
      "--export",
      `json=${json}`,
      "--export",
      `junit=${junit}`,
    ]);
    expect(code).toBe(3);
    expect(existsSync(json)).toBe(false);
    expect(err).toContain(`no forecast: ${json} is not written`);
    expect(readFileSync(junit, "utf8")).toMatch(/errors="1"/);
  });

  test("of one file under two names are refused before anything is run", async () => {
    const { code, out, err } = await moecast([
      "run",
      small,
      "--export",
      `json=${folder}/same`,
      "--export",
      `csv=${folder}/./same`,
    ]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toBe(
      `--export: ${folder}/same and ${folder}/./same are the same file; every export needs a file of its own\n`,
    );
    expect(existsSync(path("same"))).toBe(false);
  });

  test.runIf(existsSync("/dev/full"))("are all attempted, and what failed and what was written is named", async () => {
    const exports = [`csv=${path("a.csv")}`, "json=/dev/full", `junit=${path("c.xml")}`];
    const { code, err } = await moecast(["run", small, ...exports.flatMap((text) => ["--export", text])]);
    expect(code).toBe(2);
    expect(err).toBe(
      `cannot write /dev/full: no space is left on the device\nwritten: ${path("a.csv")}, ${path("c.xml")}\n`,
    );
    expect(existsSync(path("c.xml"))).toBe(true);
  });

  test("are written though the reader of stdout leaves early, and the exit code holds", async () => {
    const csv = path("early.csv");
    const { code, err } = await spawned(["run", small, small, ...failing, "--export", `csv=${csv}`], {
      during: (child) => child.stdout?.destroy(),
    });
    expect(err).toBe("");
    expect(code).toBe(99);
    expect(readFileSync(csv, "utf8").split("\n").length).toBeGreaterThan(50);
  });
});

describe.runIf(existsSync("/dev/full"))("a full stdout", () => {
  test("is said, is exit code 2, and exports are written all the same", async () => {
    const csv = path("full.csv");
    const stdout = openSync("/dev/full", "w");
    const { code, err } = await spawned(["run", small, "--export", `csv=${csv}`], { stdout });
    closeSync(stdout);
    expect(err).toBe("cannot write to stdout: no space is left on the device\n");
    expect(code).toBe(2);
    expect(readFileSync(csv, "utf8").split("\n").length).toBeGreaterThan(20);
  });
});

describe("Ctrl-C", () => {
  test("keeps what there is, says so, and exits 130; other scenarios are named as not run", async () => {
    const json = path("interrupted.json");
    const { code, out, err } = await spawned(
      ["run", small, "long.yaml", small, "--summary", "compact", "--export", `json=${json}`],
      {
        during: (child, out) => {
          child.stdout?.once("data", () => setTimeout(() => out() && child.kill("SIGINT"), 800));
        },
      },
    );
    expect(code).toBe(130);
    expect(err).toMatch(/interrupted: finishing with what there is/);
    expect(err).toMatch(/not run: small.yaml/);
    expect(out).toMatch(/^INTERRUPTED at [\d,]+ of 400,000 requests/m);
    const kept = JSON.parse(readFileSync(json, "utf8")) as { scenario: { name: string }; interrupted: boolean }[];
    expect(kept.map(({ scenario, interrupted }) => [scenario.name, interrupted])).toEqual([
      ["small", false],
      ["long", true],
    ]);
  }, 60_000);
});
