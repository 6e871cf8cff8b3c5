import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadMeasurement, readMeasurement } from "../../../src/calibrate/measured/read-measurement.ts";
import { sha256 } from "../../../src/core/digest.ts";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { cellsOf, csvOf, examplePoint } from "./example-point.ts";
import {
  aiperfSummary,
  engineRecords,
  guidellmReport,
  inferencePerfStage,
  jsonLines,
  vllmDetailed,
} from "./example-results.ts";
import { problemsOf } from "./problems-of.ts";

const points = csvOf([cellsOf(examplePoint)]);
const texts = {
  points,
  records: jsonLines(engineRecords),
  vllm: JSON.stringify(vllmDetailed),
  aiperf: JSON.stringify(aiperfSummary, null, 1),
  inferencePerf: JSON.stringify(inferencePerfStage),
  guidellm: JSON.stringify(guidellmReport),
};

test("a single request on one line is a run, a single result is a benchmark", () => {
  expect(readMeasurement(jsonLines(engineRecords.slice(0, 1)), "f").kind).toBe("run");
  expect(readMeasurement(texts.vllm, "f").kind).toBe("benchmark");
  expect(readMeasurement(points, "f")).toEqual({ kind: "points", points: [{ ...examplePoint, file: "f" }] });
});

describe("unknown input is refused once, naming what is known", () => {
  test.each(["[]", "[1, 2]", "{}", '{"a": {"b": 1}}', "a,b\n1,2\n", "Metric  vLLM\n", "\0\0\0", "7", '"text"'])(
    "%j",
    (text) => {
      const problems = problemsOf(() => readMeasurement(text, "f"));
      expect(problems).toHaveLength(1);
      expect(problems[0]?.hint).toMatch(/serving points.*vllm bench.*AIPerf.*inference-perf.*GuideLLM/);
    },
  );

  test.each(["", "\ufeff", " \n\n"])("empty: %j", (text) => {
    expect(problemsOf(() => readMeasurement(text, "f"))).toMatchObject([{ found: "an empty file" }]);
  });
});

describe("broken input", () => {
  test("cut off anywhere gives an input error or a shorter measurement, never another error", () => {
    for (const text of Object.values(texts))
      for (let end = 0; end < text.length; end += Math.ceil(text.length / 60)) {
        try {
          readMeasurement(text.slice(0, end), "f");
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidInputError);
        }
      }
  });

  test("a JSON result cut off is no result", () => {
    for (const text of [texts.vllm, texts.aiperf, texts.inferencePerf, texts.guidellm])
      expect(problemsOf(() => readMeasurement(text.slice(0, -1), "f"))).toMatchObject([{ expected: "valid JSON" }]);
  });

  const withTtft = (number: string) => texts.vllm.replace(/"mean_ttft_ms":[^,]*/, `"mean_ttft_ms":${number}`);

  test.each(["Infinity", "-Infinity", "1e999"])("%s where a latency stands", (number) => {
    expect(problemsOf(() => readMeasurement(withTtft(number), "f"))).toMatchObject([{ at: "mean_ttft_ms" }]);
  });

  test("NaN where a latency stands, as Python writes what it does not know, is not stated", () => {
    const measurement = readMeasurement(withTtft("NaN"), "f");
    expect(measurement).toMatchObject({
      kind: "benchmark",
      runs: [{ metrics: { ttft: { p50: expect.any(Number) } } }],
    });
    expect(measurement).not.toMatchObject({ runs: [{ metrics: { ttft: { mean: expect.anything() } } }] });
  });

  test("prototype keys", () => {
    const text = texts.vllm.replace("{", '{"__proto__": {"completed": 1}, ');
    expect(problemsOf(() => readMeasurement(text, "f"))).toMatchObject([{ at: "__proto__" }]);
  });

  test("lines that are no records, each with its number", () => {
    const [first = "", ...rest] = texts.records.split("\n");
    const text = [first, "{", "[]", "null", ...rest].join("\n");
    expect(problemsOf(() => readMeasurement(text, "f"))).toMatchObject([{ line: 2, expected: "valid JSON" }]);
    const objects = [first, "[]", "null", ...rest].join("\n");
    expect(problemsOf(() => readMeasurement(objects, "f")).map(({ line }) => line)).toEqual([2, 3]);
  });
});

describe("files", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "measured-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("are read plain or compressed, with the digest of their bytes", async () => {
    for (const [name, bytes] of [
      ["plain", Buffer.from(texts.records)],
      ["gzip", gzipSync(texts.records)],
    ] as const) {
      const file = join(folder, name);
      await writeFile(file, bytes);
      const loaded = await loadMeasurement(file);
      expect(loaded).toEqual({ measurement: readMeasurement(texts.records, file), sha256: sha256(bytes) });
    }
  });

  test("above 64 MiB and those that are missing are refused", async () => {
    const file = join(folder, "bomb");
    await writeFile(file, gzipSync(Buffer.alloc(65 * 1024 * 1024, " ")));
    await expect(loadMeasurement(file)).rejects.toThrow(/at most 64 MiB/);
    await expect(loadMeasurement(join(folder, "none"))).rejects.toThrow(InvalidInputError);
  });
});
