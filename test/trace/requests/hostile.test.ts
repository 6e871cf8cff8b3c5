import { deflateRawSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatProblem, InvalidInputError } from "../../../src/core/errors.ts";
import { loadRequests } from "../../../src/trace/requests/load-requests.ts";
import { drawn } from "../../drawn.ts";
import { numberedTrace, problemsOf, traceFiles } from "./trace-files.ts";

const traceFile = traceFiles();
const azureHeader = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
const time = "2023-11-16 18:15:46.6805900";

describe("a wrong value is refused with its line and field", () => {
  const ok = `${azureHeader}${time},1,1\n`;
  const json = '{"timestamp":0,"input_length":1,"output_length":1}\n';
  test.each([
    ["azure", `${ok}${time},1e999,1\n`, 3, "ContextTokens"],
    ["azure", `${ok}${time},-5,1\n`, 3, "ContextTokens"],
    ["azure", `${ok}${time},1,NaN\n`, 3, "GeneratedTokens"],
    ["azure", `${ok}${time},1,99999999999\n`, 3, "GeneratedTokens"],
    ["azure", `${ok}${time},1,1.5\n`, 3, "GeneratedTokens"],
    ["azure", `${ok}2023-02-29 00:00:00,1,1\n`, 3, "TIMESTAMP"],
    ["azure", `${ok}2023-11-16 24:00:00,1,1\n`, 3, "TIMESTAMP"],
    ["azure", `${ok}yesterday,1,1\n`, 3, "TIMESTAMP"],
    ["azure", `${ok}\n${time},1\n`, 4, undefined],
    ["azure", `${ok}${time},"1,1\n`, 3, undefined],
    ["burstgpt", "Timestamp,Request tokens,Response tokens\n-1,1,1\n", 2, "Timestamp"],
    ["burstgpt", "Timestamp,Request tokens,Response tokens\n1e999,1,1\n", 2, "Timestamp"],
    ["llmservingsim", "arrival_time_ns,input_toks,output_toks\n-5,1,1\n", 2, "arrival_time_ns"],
    ["mooncake", `${json}{"timestamp":1e999,"input_length":1,"output_length":1}`, 2, "timestamp"],
    ["mooncake", `${json}{"timestamp":-1,"input_length":1,"output_length":1}`, 2, "timestamp"],
    ["mooncake", `${json}{"timestamp":"soon","input_length":1,"output_length":1}`, 2, "timestamp"],
    ["mooncake", `${json}{"timestamp":0,"input_length":1}`, 2, "output_length"],
    ["mooncake", `${json}{"timestamp":0,"input_length":1,"output_length":1,"hash_ids":[0,-1]}`, 2, "hash_ids[1]"],
    ["mooncake", `${json}{"timestamp":0,"input_length":1,"output_length":1,"hash_ids":{}}`, 2, "hash_ids"],
    ["mooncake", `${json}{"__proto__":{},"timestamp":0,"input_length":1,"output_length":1}`, 2, "__proto__"],
    ["mooncake", `${json}{"timestamp":NaN,"input_length":1,"output_length":1}`, 2, undefined],
    ["mooncake", `${json}{"timestamp":0,"input_len`, 2, undefined],
    ["mooncake", `${json}[1,2]`, 2, undefined],
  ] as const)("%s %j", async (format, text, line, at) => {
    const path = traceFile(text);
    const problems = await problemsOf(loadRequests(format, path));
    expect(problems.map((problem) => [problem.file, problem.line, problem.at])).toEqual([[path, line, at]]);
  });
});

test("all problems of a file are reported, and reading stops at twenty", async () => {
  const wrong = (n: number) => traceFile(azureHeader + `${time},x,1\n`.repeat(n));
  expect(await problemsOf(loadRequests("azure", wrong(7)))).toHaveLength(7);
  const many = await problemsOf(loadRequests("azure", wrong(5000)));
  expect(many.map(({ line }) => line)).toEqual(Array.from({ length: 20 }, (_, i) => i + 2));
  expect(many.at(-1)?.hint).toContain("20 problems");
});

test("a header without the columns names the missing ones", async () => {
  const [problem] = await problemsOf(loadRequests("azure", traceFile("TIMESTAMP,ContextTokens\n1,2\n")));
  expect(problem).toMatchObject({ line: 1, found: "TIMESTAMP,ContextTokens", hint: "missing: GeneratedTokens" });
  const [double] = await problemsOf(loadRequests("azure", traceFile(`TIMESTAMP,${azureHeader}`)));
  expect(double?.expected).toBe("column names that differ");
});

test("an unknown layout is refused with the known ones", async () => {
  for (const text of ["a,b,c\n1,2,3\n", "", "\u0000\u0001", '{"foo":1}\n']) {
    const [problem] = await problemsOf(loadRequests("auto", traceFile(text)));
    expect(problem?.expected).toContain("a request trace in a known layout: azure, ");
    expect(problem?.hint).toContain("name its columns");
  }
});

test("a file without a single request is refused", async () => {
  for (const [format, text] of [
    ["azure", azureHeader],
    ["mooncake", ""],
    ["azure", `${azureHeader}${time},0,0\n`],
  ] as const) {
    const [problem] = await problemsOf(loadRequests(format, traceFile(text)));
    expect(problem?.expected).toBe("at least one request with tokens");
  }
});

test("a file that is not there, or is a folder, is an input error", async () => {
  const [missing] = await problemsOf(loadRequests("auto", "no/such/trace.csv"));
  expect(missing).toMatchObject({ file: "no/such/trace.csv", expected: "a file that exists" });
  const [folder] = await problemsOf(loadRequests("auto", "."));
  expect(folder).toMatchObject({ expected: "a regular file", found: "a folder" });
});

test("a gzip file cut anywhere is refused, never read as a shorter trace", async () => {
  const whole = gzipSync(numberedTrace(300));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 3, max: whole.length - 1 }), async (length) => {
      const [problem] = await problemsOf(loadRequests("mooncake", traceFile(whole.subarray(0, length))));
      expect(problem?.expected).toBe("an intact gzip file");
    }),
    { numRuns: drawn(30) },
  );
});

test("a damaged gzip file is refused", async () => {
  const bytes = gzipSync(numberedTrace(300));
  bytes[bytes.length - 6]! ^= 0xff; // inside the checksum
  const [problem] = await problemsOf(loadRequests("mooncake", traceFile(bytes)));
  expect(problem?.expected).toBe("an intact gzip file");
});

test("a gzip bomb is stopped at the cap on decompressed bytes", async () => {
  const bomb = gzipSync("\n".repeat(1 << 24));
  const path = traceFile(bomb);
  const [problem] = await problemsOf(loadRequests("mooncake", path, { decompressedBytesMax: 1 << 20 }));
  expect(problem?.expected).toContain("after decompression");
  const plain = traceFile("\n".repeat((1 << 20) + 1));
  expect(await problemsOf(loadRequests("mooncake", plain, { decompressedBytesMax: 1 << 20 }))).toHaveLength(1);
});

test("a bomb without line ends is stopped by the longest line", async () => {
  const zeros = deflateRawSync(Buffer.alloc(1 << 25));
  const path = traceFile(Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), zeros]));
  const [problem] = await problemsOf(loadRequests("mooncake", path));
  expect(problem).toMatchObject({ line: 1, expected: "lines of at most 4194304 characters" });
});

test("lists of a vllm result have to be there and of one length", async () => {
  const base = { total_input_tokens: 3, start_times: [1, 2], input_lens: [1, 2], output_lens: [1, 2] };
  const refused = (change: object) =>
    problemsOf(loadRequests("vllm-bench", traceFile(JSON.stringify({ ...base, ...change }))));
  expect((await refused({ input_lens: undefined }))[0]?.hint).toContain("input_lens missing");
  expect((await refused({ output_lens: [1] }))[0]?.found).toBe("2, 2, 1");
  expect((await refused({ output_lens: [1, -1] }))[0]?.at).toBe("output_lens[1]");
  expect((await refused({ start_times: [1, null] }))[0]?.at).toBe("start_times[1]");
});

test("arrivals beyond 2^53 ns are refused unless a limit or a window leaves them out", async () => {
  const path = traceFile("Timestamp,Request tokens,Response tokens\n1,1,1\n2,1,1\n9007201,1,1\n");
  const [problem] = await problemsOf(loadRequests("burstgpt", path));
  expect(problem?.expected).toContain("2^53 ns");
  expect(problem?.hint).toContain("until: 24h");
  expect((await loadRequests("burstgpt", path, { limit: 2 })).count).toBe(2);
  expect((await loadRequests("burstgpt", path, { untilNs: 3600e9 })).count).toBe(2);
  expect((await loadRequests("burstgpt", path, { fromNs: 3600e9 })).count).toBe(1);
});

test("escape sequences of a file never reach a message", async () => {
  const path = traceFile(`${azureHeader}${time},\u001b[2J\u001b]0;x\u0007,1\n`);
  const [problem] = await problemsOf(loadRequests("azure", path));
  expect(problem && formatProblem(problem)).not.toMatch(/\p{Cc}/u);
  const label = "Timestamp,Request tokens,Response tokens,Log Type\n1,1,1,\u001b[2Jchat\n";
  expect((await loadRequests("burstgpt", traceFile(label))).classes.join()).not.toMatch(/\p{Cc}/u);
});

test("a mutated trace is read or refused, never anything else", async () => {
  const whole = Buffer.from(numberedTrace(20));
  const edits = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(edits, fc.boolean(), async (changes, zipped) => {
      const bytes = zipped ? gzipSync(whole) : Buffer.from(whole);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      try {
        const table = await loadRequests("mooncake", traceFile(bytes));
        expect(
          table.arrivalNs.every((atNs, i) => Number.isSafeInteger(atNs) && atNs >= (table.arrivalNs[i - 1] ?? 0)),
        ).toBe(true);
        expect(
          table.promptTokens.every((tokens) => tokens > 0) && table.outputTokens.every((tokens) => tokens > 0),
        ).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidInputError);
      }
    }),
    { numRuns: drawn(150) },
  );
});

test("options outside their range are refused together", async () => {
  const options = { thin: 0, limit: 1.5, jitterQuantumNs: -1, rateScale: Number.POSITIVE_INFINITY, seed: -1 };
  const problems = await problemsOf(loadRequests("auto", traceFile(numberedTrace(1)), options));
  expect(problems.map(({ at }) => at)).toEqual(["thin", "limit", "jitterQuantumNs", "rateScale", "seed"]);
});
