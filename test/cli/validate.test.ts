import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import type { ServingPoint } from "../../src/calibrate/measured/serving-point.ts";
import type { validateServing } from "../../src/validate/serving/validate-serving.ts";
import { pointError, pointMetric } from "../calibrate/example-points.ts";
import { cellsOf, examplePoint } from "../calibrate/measured/example-point.ts";
import { kernelsExample, validation } from "../report/build-validation.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

type ServingValidationOptions = Parameters<typeof validateServing>[1];

/** What the forecasts of points were asked for; each is 10 % too slow. */
const asked: { points: readonly ServingPoint[]; options: ServingValidationOptions }[] = [];
vi.mock("../../src/validate/serving/validate-serving.ts", () => ({
  validateServing: (points: readonly ServingPoint[], options: ServingValidationOptions) => {
    asked.push({ points, options });
    const errors = points.map((point) =>
      pointError(point, { tpot: point.tpotMs === null ? null : pointMetric(point.tpotMs, 1.1 * point.tpotMs) }),
    );
    return Promise.resolve(validation(errors, { inputs: options.inputs, skipped: [] }));
  },
}));

/** What kernels were asked for; one family with an error of 6 % on the mean. */
const kernels: unknown[][] = [];
vi.mock("../../src/validate/kernels/kernel-validation.ts", () => ({
  kernelValidation: (...words: unknown[]) => {
    kernels.push(words);
    return Promise.resolve(kernelsExample());
  },
}));

const { path, write } = scratch();
const table = (points: readonly ServingPoint[]) => {
  const rows = points.map(cellsOf);
  const header = Object.keys(rows[0] ?? {});
  return `${[header, ...rows.map((row) => header.map((column) => row[column] ?? ""))].map((row) => row.join(",")).join("\n")}\n`;
};
const points = write(
  "points.csv",
  table([examplePoint, { ...examplePoint, concurrency: 32, tpotMs: 25 }, { ...examplePoint, system: "b200_sxm" }]),
);
const run = write(
  "run.jsonl",
  Array.from({ length: 30 }, (_, i) =>
    JSON.stringify({
      input_toks: 50,
      output_toks: 10,
      queued_ts: 100 + i / 20,
      first_token_ts: 100.02 + i / 20,
      last_token_ts: 100.1 + i / 20,
    }),
  ).join("\n"),
);

describe("moecast validate --serving", () => {
  test("prints errors on stdout and exits 0", async () => {
    const { code, out } = await moecast(["validate", "--serving", points]);
    expect(code).toBe(0);
    expect(out).toContain("TPOT error 10.0% median, 10.0% mean, bias +10.0% over 3 points");
  });

  test("prints and exports the same document", async () => {
    const json = path("result.json");
    const { out } = await moecast(["validate", "--serving", points, "--json", "--export", `json=${json}`]);
    expect(readFileSync(json, "utf8")).toBe(out);
    const { overall, setups, inputs } = JSON.parse(out);
    expect(overall.points).toBe(3);
    expect(overall.tpot.medianAbsolutePercent).toBeCloseTo(10, 9);
    expect(setups).toHaveLength(2);
    expect(inputs[0]).toMatchObject({ role: "serving points", name: "points.csv" });
  });

  test("exports every format at once", async () => {
    const names = ["csv", "markdown", "svg"];
    const words = names.flatMap((name) => ["--export", `${name}=${path(`errors.${name}`)}`]);
    expect((await moecast(["validate", "--serving", points, ...words])).code).toBe(0);
    const [csv, markdown, svg] = names.map((name) => readFileSync(path(`errors.${name}`), "utf8"));
    expect(csv?.trim().split("\n")).toHaveLength(4);
    expect(markdown).toContain("| TPOT | all | 3 |");
    expect(svg).toContain("<svg");
  });

  test("passes on what is left out, what was observed, and the points a filter leaves", async () => {
    asked.length = 0;
    const words = [
      "--leave-out",
      "setup",
      "--observed",
      points,
      "--filter",
      "system=H200_SXM",
      "--filter",
      "concurrency=8,32",
    ];
    await moecast(["validate", "--serving", points, ...words]);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.options).toMatchObject({ leaveOut: "setup" });
    expect(asked[0]?.options.observed).toHaveLength(3);
    expect(asked[0]?.points.map(({ concurrency }) => concurrency)).toEqual([32]);
  });

  test.each([
    ["5", 99, "mean of the TPOT errors is 10.00%, above 5%"],
    ["11%", 0, ""],
    ["median=9.5", 99, "median of the TPOT errors is 10.00%, above 9.5%"],
    ["p90=10.5", 0, ""],
    ["bias=3", 99, "bias of the TPOT errors is 10.00%, above 3%"],
  ])("--max-error %s exits %i", async (limit, expected, message) => {
    const { code, err } = await moecast(["validate", "--serving", points, "--max-error", limit]);
    expect(code).toBe(expected);
    expect(err).toContain(message);
  });

  test("an error that is not known keeps no limit", async () => {
    const file = write("ttft.csv", table([{ ...examplePoint, tpotMs: null }]));
    const { code, err } = await moecast(["validate", "--serving", file, "--max-error", "50"]);
    expect(code).toBe(99);
    expect(err).toContain("there is no mean of the TPOT errors");
  });
});

describe("moecast validate --kernels", () => {
  const words = ["validate", "--kernels", "some.csv", "folder"];

  test("compares the tables of files and folders, and holds their error against a limit", async () => {
    kernels.length = 0;
    const { code, out } = await moecast([...words, "--leave-out", "system", "--max-error", "6.5"]);
    expect(kernels).toEqual([[["some.csv", "folder"], expect.objectContaining({ leaveOut: "system" })]]);
    expect(out).toContain("kernel time error 5.0% median, 6.0% mean, bias -1.0% over 200 kernels");
    expect(code).toBe(0);
    expect((await moecast([...words, "--max-error", "median=4"])).err).toContain(
      "median of the kernel time errors is 5.00%",
    );
  });

  test("has no plot, and leaves out only systems", async () => {
    expect((await moecast([...words, "--export", `svg=${path("x.svg")}`])).code).toBe(2);
    expect((await moecast([...words, "--leave-out", "model"])).err).toContain("takes only system");
  });
});

describe("moecast validate --run", () => {
  const words = ["validate", "--run", run, "--scenario", "small.yaml"];

  test("replays the requests on the scenario's deployment", async () => {
    const { code, out } = await moecast(words);
    expect(code).toBe(0);
    expect(out).toContain("arrivals and lengths of 30 measured requests, 30 completed on both sides");
    expect(out).toMatch(/^ {2}TPOT mean +8\.89 ms +\d+\.\d\d ms +[+-]/m);
    expect(out).toMatch(/^ {2}output throughput +19\d\.\d tok\/s/m);
  });

  test("prints the same bytes every time, and holds the TPOT against a limit", async () => {
    const [first, second] = [await moecast([...words, "--json"]), await moecast([...words, "--json"])];
    expect(second.out).toBe(first.out);
    expect(JSON.parse(first.out)).toMatchObject({ kind: "run-validation", requests: { compared: 30 } });
    expect((await moecast([...words, "--max-error", "0"])).code).toBe(99);
    expect((await moecast([...words, "--max-error", "900"])).code).toBe(0);
    expect((await moecast([...words, "--max-error", "p90=900"])).err).toContain("there is no p90");
  });

  test("reads the model of a folder, as a forecast does", async () => {
    const { code, out, err } = await moecast([...words, "--set", "model={file: ../checkpoints/olmoe-f16}"]);
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toContain("olmoe");
  });

  test("takes settings over the scenario", async () => {
    const { out } = await moecast([...words, "--set", "name=other"]);
    expect(out).toContain("Validation of other on a measured run");
  });
});

describe("moecast validate refuses", () => {
  test.each([
    ["no mode", [], "give exactly one of --serving, --kernels, --run, --against"],
    ["two modes", ["--serving", points, "--run", run], "give exactly one of"],
    ["a run without a scenario", ["--run", run], "--scenario is missing"],
    ["a scenario beside points", ["--serving", points, "--scenario", "small.yaml"], "--scenario does not apply"],
    [
      "leaving out from a run",
      ["--run", run, "--scenario", "small.yaml", "--leave-out", "setup"],
      "--leave-out does not",
    ],
    ["an unknown part to leave out", ["--serving", points, "--leave-out", "row"], "Allowed choices"],
    ["an unknown statistic", ["--serving", points, "--max-error", "max=3"], "with one of mean, median, p90, bias"],
    ["an unknown format", ["--serving", points, "--export", "sgv=x"], 'did you mean "svg"?'],
    ["an unknown field", ["--serving", points, "--filter", "modle=x"], 'did you mean "model"?'],
    ["a value no point has", ["--serving", points, "--filter", "system=x"], "there are system=b200_sxm, h200_sxm"],
  ])("%s with exit code 2", async (_name, words, message) => {
    const { code, err, out } = await moecast(["validate", ...words]);
    expect(err).toContain(message);
    expect(code).toBe(2);
    expect(out).toBe("");
  });

  test.each([
    ["points for a run", ["--run", points, "--scenario", "small.yaml"], "use --serving"],
    ["a run for points", ["--serving", run], "use --run or --against"],
    ["a file that is not there", ["--serving", "nowhere.csv"], "expected a file that exists"],
    [
      "a broken table",
      ["--serving", write("broken.csv", `${table([examplePoint]).replace(",17.25", ",-1")}`)],
      "tpot_ms",
    ],
  ])("%s with exit code 3", async (_name, words, message) => {
    const { code, err } = await moecast(["validate", ...words]);
    expect(err).toContain(message);
    expect(code).toBe(3);
  });
});
