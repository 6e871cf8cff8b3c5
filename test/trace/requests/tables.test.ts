import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatProblem, InvalidInputError } from "../../../src/core/errors.ts";
import { loadRequests } from "../../../src/trace/requests/load-requests.ts";
import { summariseRequests } from "../../../src/trace/requests/summarise-requests.ts";
import { columnsOf, columnsOfMap } from "../../../src/trace/requests/table-columns.ts";
import { drawn } from "../../drawn.ts";
import { jsonLines, problemsOf, traceFiles } from "./trace-files.ts";

const traceFile = traceFiles();

interface Written {
  readonly ms: number;
  readonly prompt: number;
  readonly output: number;
  readonly kind: string;
  readonly blocks: readonly bigint[];
}

const quoted = (cells: readonly (string | number)[], separator: string) =>
  cells.map((cell) => `"${String(cell).replaceAll('"', '""')}"`).join(separator);
const cellsOf = ({ ms, prompt, output, kind, blocks }: Written) => [kind, output, `[${blocks.join(", ")}]`, ms, prompt];
const header = ["kind of it", "out", "blocks", "sent", "in"];
const table = (separator: string) => (rows: readonly Written[]) =>
  [header, ...rows.map(cellsOf)].map((cells) => quoted(cells, separator)).join("\n");
const record = ({ ms, prompt, output, kind, blocks }: Written) =>
  `{"meta": {"sent": ${ms}, "kind of it": ${JSON.stringify(kind)}}, "usage": [{"in": ${prompt}, "out": ${output}}], "blocks": [${blocks.join(",")}]}`;

const flat = "arrival=sent,prompt=in,output=out,class=kind of it,prefix=blocks";
const nested = "arrival=meta.sent,prompt=usage[0].in,output=usage[0].out,class=meta.kind of it,prefix=blocks";
const layouts = [
  ["commas", flat, table(",")],
  ["tabs", flat, table("\t")],
  ["semicolons", flat, table(";")],
  ["JSON lines", nested, (rows: readonly Written[]) => rows.map(record).join("\n")],
  ["a JSON array", nested, (rows: readonly Written[]) => `[${rows.map(record).join(",")}]`],
  ["a JSON array over lines", nested, (rows: readonly Written[]) => `[\n${rows.map(record).join("\n,\n\n")}\n]\n`],
] as const;

const block = fc.oneof(
  fc.bigInt({ min: 0n, max: 20n }),
  fc.bigInt({ min: 2n ** 63n, max: 2n ** 63n + 3n }),
  fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 63n) + 3n }),
);
const written = fc
  .record({
    ms: fc.nat(1000),
    short: fc.nat(511),
    output: fc.integer({ min: 1, max: 5000 }),
    kind: fc.constantFrom("chat", 'a "quoted", one', "c;d\te", "tool [x]"),
    blocks: fc.array(block, { minLength: 1, maxLength: 4 }),
  })
  .map(({ short, ...row }) => ({ ...row, prompt: row.blocks.length * 512 - short }));

test.each(layouts)(
  "requests written with %s are read back exactly, block ids of 64 bits too",
  async (_, map, write) => {
    await fc.assert(
      fc.asyncProperty(fc.array(written, { minLength: 1, maxLength: 12 }), async (rows) => {
        const read = await loadRequests("auto", traceFile(write(rows)), {
          columns: columnsOfMap(map, "--map"),
          timeUnit: "ms",
          blockTokens: 512,
        });
        const sorted = rows.map((row, i) => ({ ...row, i })).sort((a, b) => a.ms - b.ms || a.i - b.i);
        expect([...read.arrivalNs]).toEqual(sorted.map(({ ms }) => (ms - sorted[0]!.ms) * 1e6));
        expect([...read.promptTokens]).toEqual(sorted.map(({ prompt }) => prompt));
        expect([...read.outputTokens]).toEqual(sorted.map(({ output }) => output));
        expect([...read.classOf].map((index) => read.classes[index])).toEqual(sorted.map(({ kind }) => kind));
        const ids = [...(read.prefix?.ids ?? [])];
        const original = sorted.flatMap(({ blocks }) => blocks);
        expect(ids.map((id) => ids.indexOf(id))).toEqual(original.map((id) => original.indexOf(id)));
      }),
      { numRuns: drawn(25) },
    );
  },
);

describe("block ids", () => {
  const rows = (ids: readonly (readonly string[])[]) =>
    ids
      .map(
        (list, i) =>
          `{"timestamp":${i},"input_length":${list.length * 512},"output_length":1,"hash_ids":[${list.join(",")}]}`,
      )
      .join("\n");
  const distinct = async (ids: readonly (readonly string[])[]) =>
    summariseRequests(await loadRequests("mooncake", traceFile(rows(ids)))).prefix?.distinct;

  test("beyond 2^53 that float64 takes for one stay two", async () => {
    expect(Number("9007199254740993")).toBe(Number("9007199254740992"));
    expect(await distinct([["9007199254740992", "9007199254740993", "1", "1"]])).toBe(3);
    expect(await distinct([["18446744073709551615"], ["18446744073709551614"], ["-9223372036854775808"]])).toBe(3);
  });

  test("may be numbers or text, decimal or hexadecimal", async () => {
    expect(await distinct([['"9007199254740993"', "9007199254740993", '"7"', "7"]])).toBe(2);
    expect(await distinct([['"00ff"', '"ff"', '"00ff"', '"a3f5c0de9921"']])).toBe(3);
  });

  test("are no small negative number, no fraction and nothing else", async () => {
    for (const id of ["-1", "1.5", "null", "[]", '""', '"-3"', "1e400"]) {
      const problems = await problemsOf(loadRequests("mooncake", traceFile(rows([["4", id]]))));
      expect(problems[0]?.at).toContain("hash_ids");
    }
  });

  test("text with many digits elsewhere in a row stays what it is", async () => {
    const text = `{"timestamp":0,"input_length":5,"output_length":1,"note":"12345678901234567890 \\" 1","x":0.12345678901234567890}`;
    expect((await loadRequests("mooncake", traceFile(text))).count).toBe(1);
    const tokens = `{"timestamp":0,"input_length":12345678901234567890,"output_length":1}`;
    expect((await problemsOf(loadRequests("mooncake", traceFile(tokens))))[0]?.at).toBe("input_length");
  });
});

describe("a JSON array", () => {
  const rows = [0, 5].map((timestamp) => ({ timestamp, input_length: 10, output_length: 5 }));
  const read = (text: string) => loadRequests("auto", traceFile(text));

  test("of requests in a known layout is read like lines of them", async () => {
    const lines = await read(jsonLines(rows));
    for (const text of [
      JSON.stringify(rows),
      JSON.stringify(rows, null, 2),
      ` \n[ ${jsonLines(rows).replace("}\n{", "},{")}]\n`,
    ])
      expect((await read(text)).arrivalNs).toEqual(lines.arrivalNs);
  });

  test.each([
    ["[{},", "JSON that is complete"],
    [`${JSON.stringify(rows)} 7`, "nothing after the end of the list"],
    [JSON.stringify([...rows, 7]), "a JSON object"],
    [`[${JSON.stringify(rows[0])},]`, "a value after the comma"],
    [`[${JSON.stringify(rows[0])},,${JSON.stringify(rows[0])}]`, "a value before the comma"],
    [`[${JSON.stringify(rows[0])} ${JSON.stringify(rows[0])}]`, "a comma between values"],
  ])("that is broken is refused: %s", async (text, expected) => {
    const problems = await problemsOf(loadRequests("mooncake", traceFile(text)));
    expect(problems.map(formatProblem).join()).toContain(expected);
  });

  test("gives the line in which a wrong request begins", async () => {
    const text = `[\n${JSON.stringify(rows[0])},\n\n{"timestamp": 5,\n"input_length": -1, "output_length": 3}]`;
    expect((await problemsOf(read(text)))[0]).toMatchObject({ line: 4, at: "input_length" });
  });

  test("in any pieces is the same", async () => {
    const wide = Array.from({ length: 9000 }, (_, i) => ({
      timestamp: i,
      note: ']},{[\\"',
      input_length: i + 1,
      output_length: 1,
    }));
    const read = await loadRequests("mooncake", traceFile(JSON.stringify(wide)));
    expect([...read.promptTokens]).toEqual(wide.map(({ input_length }) => input_length));
  });
});

describe("columns that the user names", () => {
  const csv = traceFile("10;3\n11;4\n");

  test("may be places of a table without header", async () => {
    const columns = columnsOf({ prompt: "#1", output: "#2" });
    expect([...(await loadRequests("auto", csv, { columns })).promptTokens]).toEqual([10, 11]);
    const [problem] = await problemsOf(
      loadRequests("auto", csv, { columns: columnsOf({ prompt: "#1", output: "#3" }) }),
    );
    expect(problem).toMatchObject({ expected: "#3 among the columns", found: "2 columns" });
  });

  test("are there, each of them", async () => {
    const columns = columnsOf({ prompt: "a", output: "b", class: "kind" });
    const [problem] = await problemsOf(loadRequests("auto", traceFile("a,b\n1,2\n"), { columns }));
    expect(problem?.hint).toBe("missing: kind");
    const json = await problemsOf(
      loadRequests("auto", traceFile('{"a":1,"b":2}\n{"a":1,"b":2,"kind":null}'), { columns }),
    );
    expect(json.map(({ at }) => at)).toEqual(["kind"]);
  });

  test("are well written", () => {
    for (const columns of [{ prompt: "a[", output: "b" }, { prompt: "a" }, { prompt: "a[]", output: "b" }])
      expect(() => columnsOf(columns)).toThrow(InvalidInputError);
    expect(() => columnsOfMap("prompt=a,outptu=b", "--map")).toThrow("did you mean output?");
  });

  test("exclude a format", async () => {
    const columns = columnsOf({ prompt: "#1", output: "#2" });
    expect((await problemsOf(loadRequests("azure", csv, { columns })))[0]?.at).toBe("columns");
  });
});

describe("lengths alone", () => {
  const lengths = traceFile("num_prefill_tokens,num_decode_tokens,num_total_tokens,pd_ratio\n10,2,12,5\n20,4,24,5\n");

  test("are read where arrival times are not needed", async () => {
    const { promptTokens, arrivalNs, origin } = await loadRequests("auto", lengths);
    expect([[...promptTokens], [...arrivalNs], origin.notes]).toEqual([
      [10, 20],
      [0, 0],
      ["no arrival times: lengths alone"],
    ]);
    expect((await problemsOf(loadRequests("auto", lengths, { arrivals: "needed" })))[0]?.found).toBe("lengths alone");
  });

  test("are those of SGLang's details, limitless rates and all", async () => {
    const run = `{"request_rate": Infinity, "total_input_tokens": 30, "input_lens": [10, 20], "output_lens": [1, 0], "ttfts": [0.1, NaN]}\n`;
    const { promptTokens } = await loadRequests("auto", traceFile(run));
    expect([...promptTokens]).toEqual([10]);
    expect((await problemsOf(loadRequests("auto", traceFile(run + run))))[0]?.found).toBe("2 runs");
  });
});

test("failed requests are left out and counted", async () => {
  const ok = {
    metadata: { request_start_ns: 5 },
    metrics: { input_sequence_length: { value: 7 }, output_sequence_length: { value: 1 } },
  };
  const failed = {
    metadata: { request_start_ns: 6, was_cancelled: true },
    metrics: { error_isl: { value: 550 } },
    error: { code: 499 },
  };
  const { count, origin } = await loadRequests("auto", traceFile(jsonLines([ok, failed, failed])));
  expect([count, origin.notes]).toEqual([1, ["2 failed requests left out (first: line 2)"]]);
});

test("requests of AIPerf's warm-up are left out and counted", async () => {
  const record = (benchmark_phase: string, request_start_ns: number) => ({
    metadata: { request_start_ns, benchmark_phase },
    metrics: { input_sequence_length: { value: 7 }, output_sequence_length: { value: 1 } },
  });
  const rows = [record("warmup", 5), record("profiling", 100), record("profiling", 107)];
  const { arrivalNs, origin } = await loadRequests("auto", traceFile(jsonLines(rows)));
  expect([[...arrivalNs], origin.notes]).toEqual([[0, 7], ["1 warm-up requests left out (first: line 1)"]]);
});

test("dates of Python's logs have their fractions behind a comma", async () => {
  const rows = ["05,250", "05.500", "06,000000001"].map((time) => `"2025-01-01 00:00:${time}",1,1`);
  const file = traceFile(`TIMESTAMP,ContextTokens,GeneratedTokens\n${rows.join("\n")}\n`);
  expect([...(await loadRequests("auto", file)).arrivalNs]).toEqual([0, 250_000_000, 750_000_001]);
});

test("what a layout cannot express is refused, or noted", async () => {
  const split = "arrival_timestamp,batch_size,prompt_size,token_size\n0.5,1,1,1\n0.6,4,1,1\n";
  expect((await problemsOf(loadRequests("auto", traceFile(split))))[0]).toMatchObject({ line: 3, at: "batch_size" });
  const blis =
    "slo_class,prefix_group,input_tokens,output_tokens,arrival_time_us,status\ns,g,1,1,0,ok\ns,,1,1,1,timeout\n";
  expect((await loadRequests("auto", traceFile(blis))).origin.notes).toEqual([
    "1 failed requests left out (first: line 3)",
    "prefix groups are not read: no prompt shares a prefix",
  ]);
});

test("text without numbers of tokens is refused by name", async () => {
  for (const [row, key] of [
    [{ text_input: "Hello", output_length: 4 }, "text_input"],
    [{ messages: [{ role: "user", content: "Hi" }], output_length: 50, timestamp: 0 }, "messages"],
    [{ id: "1", conversations: [{ from: "human", value: "Hi" }] }, "conversations"],
  ] as const) {
    const [problem] = await problemsOf(loadRequests("auto", traceFile(JSON.stringify([row]))));
    expect(problem).toMatchObject({ expected: "requests with numbers of tokens", found: `${key}: text` });
  }
  const numbers = loadRequests("auto", traceFile('{"prompt": 12, "answer": 3}'));
  expect((await problemsOf(numbers))[0]?.hint).toContain("name its columns");
  const header = '{"schema": "agentic_mooncake", "version": 1, "block_size": 16, "hash_id_scope": "local"}';
  expect((await problemsOf(loadRequests("auto", traceFile(header))))[0]?.hint).toBe(
    "such dependencies are not simulated",
  );
  const mixed = [
    { timestamp: 0, input_length: 4, output_length: 1 },
    { text_input: "Hi", output_length: 1 },
  ];
  expect((await problemsOf(loadRequests("auto", traceFile(jsonLines(mixed)))))[0]).toMatchObject({
    line: 2,
    at: "text_input",
  });
});
