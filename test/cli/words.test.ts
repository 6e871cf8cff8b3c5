import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { hardwareList } from "../../src/report/profile-catalogue.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { path } = scratch();

/** Wrong words: what the message must say. */
const wrong: readonly (readonly [words: readonly string[], message: RegExp])[] = [
  [["rum", "x.yaml"], /unknown command 'rum'[\s\S]*Did you mean run/],
  [["run"], /missing required argument 'scenario'/],
  [["run", "small.yaml", "--sed", "3"], /unknown option '--sed'[\s\S]*--seed/],
  [["run", "small.yaml", "--seed", "-1"], /whole number from 0 to 4294967295/],
  [["run", "small.yaml", "--seed", ""], /whole number/],
  [["run", "small.yaml", "--seed", "4294967296"], /whole number/],
  [["run", "small.yaml", "--summary", "short"], /Allowed choices are compact, standard, full/],
  [["run", "small.yaml", "--export", "jsn=x"], /unknown "jsn", did you mean "json"/],
  [["run", "small.yaml", "--export", "json"], /expected --export FORMAT=PATH, found "json"/],
  [["run", "small.yaml", "--export", "json=."], /expected a file, found a folder/],
  [["run", "small.yaml", "--export", "json=/dev/null/x"], /cannot write \/dev\/null\/x/],
  [["run", "small.yaml", "--export", "json=x", "--export", "csv=x"], /x and x are the same file/],
  [["run", "small.yaml", "--param", "DATA"], /expected --param NAME=value, found "DATA"/],
  [["run", "small.yaml", "--max-regress", "-3"], /percentage of at least 0/],
  [["run", "small.yaml", "--max-regress", "3"], /--max-regress limits what --baseline compares: give both/],
  [["run", "small.yaml", "--max-regress", "e2e.maen=3%"], /no metric "e2e.maen" \(did you mean e2e.mean\?\)/],
  [["run", "small.yaml", "--max-regress", "xyz=3%"], /no metric "xyz" \(one of ttft.mean, /],
  [["run", "small.yaml", "--max-regress", "e2e.p99"], /percentage of at least 0/],
  [["run", "small.yaml", "--max-regress", "3,4"], /one limit for all metrics, found two/],
  [["run", "small.yaml", "--max-regress", "e2e=3", "--max-regress", "e2e=4"], /one limit for e2e, found two/],
  [["trace", "inspect", "x", "--until", "5"], /duration such as 90s or 24h/],
  [["trace", "synth", "-o", "x"], /either --from <trace> or --published <id>/],
  [["trace", "convert", "x", "--to", "cvs", "-o", "x"], /unknown "cvs", did you mean "csv"/],
  [
    ["trace", "import", "x.npy", "-o", "y", "--model-layers", "5-3"],
    /Expected ascending numbers such as 1,3,5 or 3-60/,
  ],
  [["trace", "import", "x.npy", "-o", "y", "--model-layers", "1,x"], /Expected ascending numbers/],
  [["trace", "import", "x"], /required option '-o, --output/],
];

describe("wrong words", () => {
  test.each(wrong)("%j exit 2 with a message on stderr and nothing on stdout", async (words, message) => {
    const { code, out, err } = await moecast(words);
    expect(err).toMatch(message);
    expect(code).toBe(2);
    expect(out).toBe("");
  });
});

/** Wrong values: exit 3, with the place. */
const invalid: readonly (readonly [words: readonly string[], message: RegExp])[] = [
  [["run", "missing.yaml"], /^missing.yaml: expected a file that exists$/m],
  [["run", "."], /^\.: expected a file, not a folder$/m],
  [
    ["run", "small.yaml", "--set", "traffic.request=3"],
    /--set traffic.request=3: .*found "request" \(did you mean requests\?\)/,
  ],
  [["run", "small.yaml", "--param", "DATA=x"], /--param DATA=x: expected a parameter that the scenario uses/],
  [
    ["run", "small.yaml", "--threshold", "tfft: p(99)<1s"],
    /--threshold "tfft: p\(99\)<1s": character 1: .*did you mean ttft\?/,
  ],
  [["run", "small.yaml", "--threshold", "ttft: p(99)<1"], /character 14: expected a duration unit/],
  [["run", "small.yaml", "--threshold", "goodput: rate>99%"], /expected slo.perRequest in the scenario beside goodput/],
  [["run", "small.yaml", "--threshold", "ttft{class:x}: p(50)<1s"], /expected a class of the requests/],
  [["model", "show", "qwen3-30b-a3"], /expected a model of the catalogue/],
  [["hardware", "show", "h100"], /expected a device, system or engine, found "h100"/],
  [["hardware", "check", "small.yaml"], /small.yaml: expected valid JSON/],
  [["trace", "stats", "small.yaml"], /small.yaml: .*expected/],
];

describe("inputs that cannot be used", () => {
  test.each(invalid)("%j exit 3 with the place, and nothing on stdout", async (words, message) => {
    const { code, out, err } = await moecast(words);
    expect(err).toMatch(message);
    expect(code).toBe(3);
    expect(out).toBe("");
  });
});

test("every command explains itself on stdout and exits 0", async () => {
  const commands = [[], ["run"], ["trace"], ["trace", "import"], ["hardware"], ["model"], ["schema"]];
  const results = await Promise.all(commands.map((words) => moecast([...words, "--help"])));
  for (const { code, out, err } of results) {
    expect(code).toBe(0);
    expect(err).toBe("");
    expect(out).toMatch(/^Usage: moecast/);
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  }
  expect(results[0]?.out).toMatch(/99 SLO or regression failed/);
});

test("lists and details come as text and as JSON", async () => {
  const [hardware, device, models, model, checked, schema] = await Promise.all(
    [
      ["hardware", "list", "--json"],
      ["hardware", "show", "h100-sxm"],
      ["model", "list"],
      ["model", "show", "gpt-oss-20b", "--json"],
      ["hardware", "check"],
      ["schema"],
    ].map((words) => moecast(words)),
  );
  expect(JSON.parse(hardware?.out ?? "")).toEqual(hardwareList());
  expect(device?.out).toMatch(/^memory.bytesPerSecond|^ {2}memory.bytesPerSecond +3350 GB\/s +third party/m);
  expect(models?.out).toMatch(/^qwen3-30b-a3b +30.53 B +3.35 B/m);
  expect(JSON.parse(model?.out ?? "").parameters.total).toBeGreaterThan(20e9);
  expect(checked?.out).toMatch(/, 0 problems$/m);
  expect(JSON.parse(schema?.out ?? "").$schema).toContain("draft-07");
});

test("a synthesised trace can be inspected, measured, converted and fitted again", async () => {
  const trace = path("made.safetensors");
  const words = ["trace", "synth", "--published", "qwen3-30b-a3b", "--tokens", "64", "-o", trace];
  const made = await moecast(words);
  expect(made.err).toBe("");
  expect(made.out).toContain("64 tokens, 48 layers, 128 experts");
  const [inspected, measured, converted] = await Promise.all([
    moecast(["trace", "inspect", trace, "--json"]),
    moecast(["trace", "stats", trace]),
    moecast(["trace", "convert", trace, "--to", "csv", "--mkdir", "-o", path("deep/er/made.csv")]),
  ]);
  expect(JSON.parse(inspected.out)).toMatchObject({ kind: "tokens", rows: 64, experts: 128, topK: 8 });
  expect(measured.out).toMatch(/a cache per layer/);
  expect(converted.out).toContain("64 tokens as csv");
});

test("a request trace in any layout is inspected by the columns, unit and part that are named", async () => {
  const calls = path("calls.tsv");
  writeFileSync(calls, "when\tin\tout\n0\t10\t2\n1.5\t30\t4\n7200\t1\t1\n");
  const words = ["trace", "inspect", calls, "--map", "arrival=when,prompt=in,output=out", "--time-unit", "s"];
  const { out, code } = await moecast([...words, "--until", "1h"]);
  expect([code, out]).toEqual([0, expect.stringMatching(/^span +1.5 s$/m)]);
  expect(out).toMatch(/^note +2 of 3 requests: those before 60 min$/m);
  const wrong = await moecast(["trace", "inspect", calls, "--map", "arrival=when,promt=in,output=out"]);
  expect([wrong.code, wrong.err]).toEqual([3, expect.stringContaining("--map: expected one of the fields arrival")]);
  const blocks = path("blocks.json");
  writeFileSync(blocks, '[{"timestamp": 0.5, "input_length": 100, "output_length": 2, "hash_ids": [1, 2, 3, 4]}]');
  const assumed = await moecast(["trace", "inspect", blocks]);
  expect(assumed.out).toMatch(/^prefix blocks, assumed +prefix blocks of \d+ tokens/m);
  const given = await moecast(["trace", "inspect", blocks, "--block-tokens", "30", "--json"]);
  expect(JSON.parse(given.out).prefix).toEqual({ blocks: 4, distinct: 4, hitRateMax: 0 });
});
