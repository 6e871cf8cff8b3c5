import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sha256 } from "../../../src/core/digest.ts";
import { loadRequests } from "../../../src/trace/requests/load-requests.ts";
import { recogniseRequestFormat, requestFormats } from "../../../src/trace/requests/request-formats.ts";
import { drawn } from "../../drawn.ts";
import { jsonLines, traceFiles } from "./trace-files.ts";

const traceFile = traceFiles();
const azure =
  "TIMESTAMP,ContextTokens,GeneratedTokens\r\n" +
  "2023-11-30 23:59:59.9799600,374,44\r\n" +
  "2023-12-01 00:00:00.0000001,396,109\r\n" +
  "2023-12-01 00:00:01.5,879,55";
const mooncake = jsonLines([
  { timestamp: 0, input_length: 1535, output_length: 500, hash_ids: [46, 47, 90071992547] },
  { timestamp: 3001, input_length: 513, output_length: 3, hash_ids: [46, 5] },
]);
const bailian = jsonLines([
  {
    chat_id: 1,
    parent_chat_id: -1,
    timestamp: 61.114,
    input_length: 17,
    output_length: 132,
    type: "text",
    turn: 1,
    hash_ids: [8, 9],
  },
  {
    chat_id: 2,
    parent_chat_id: 1,
    timestamp: 61.5,
    input_length: 16,
    output_length: 1,
    type: "search",
    turn: 2,
    hash_ids: [8],
  },
]);
const burstgpt =
  "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n" +
  '19440110.25,a-1,43,"GPT-4, turbo",906,446,1352,Conversation log\n' +
  "19440161.0,a-2,2,ChatGPT,36,29,65,API log\n";
const vllm = JSON.stringify(
  {
    backend: "vllm",
    completed: 2,
    total_input_tokens: 30,
    input_lens: [10, 20],
    output_lens: [1, 2],
    start_times: [481800.514637565, 481800.514637566],
  },
  null,
  2,
);
const simCsv = "arrival_time_ns,input_toks,output_toks\n46926808,2361,532\n347938951,1128,772\n";
const simJson = jsonLines([
  { input_toks: 2361, output_toks: 532, arrival_time_ns: 46926808, input_tok_ids: [1, 2] },
  { input_toks: 1128, output_toks: 772, arrival_time_ns: 347938951 },
]);

const vidur = "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,591,140\n0.125,547,248\n";
const splitwise =
  "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size\n" +
  "0,2,0,0.01,1,374,44\n1,2,0,0.04,1,396,109\n";
const blisHeader =
  "request_id,client_id,tenant_id,slo_class,session_id,round_index,prefix_group,streaming,input_tokens,output_tokens," +
  "arrival_time_us,send_time_us,first_chunk_time_us,last_chunk_time_us,num_chunks,status,error_message\n";
const blis =
  `${blisHeader}0,c,t,standard,,0,,true,512,128,7,10,50000,900000,128,ok,\n` +
  "1,c,t,critical,,0,,true,600,12,1000008,10,50000,900000,128,ok,\n";
const servegen = "request_id,timestamp,input_tokens,output_tokens\n0,0.5,100,7\n1,2.000000001,200,8\n";
const aiperfRecord = (startNs: string, prompt: number, output: number) =>
  `{"metadata":{"session_num":1,"request_start_ns":${startNs},"was_cancelled":false},"metrics":{"input_sequence_length":` +
  `{"value":${prompt},"unit":"tokens"},"output_sequence_length":{"value":${output},"unit":"tokens"}},"error":null}\n`;
const aiperf = aiperfRecord("1759813207532900363", 550, 9) + aiperfRecord("1759813207532900364", 551, 10);
const inferencePerf = JSON.stringify(
  [
    { start_time: 1393.25, end_time: 1395.195, info: { input_tokens: 591, output_tokens: 140 }, error: null },
    { start_time: 1394.5, end_time: 1396, info: { input_tokens: 6, output_tokens: 1 }, error: null },
  ],
  null,
  1,
);

const cases = [
  ["azure", azure, [0, 20_040_100, 1_520_040_000], [374, 396, 879], [44, 109, 55]],
  ["mooncake", mooncake, [0, 3_001_000_000], [1535, 513], [500, 3]],
  ["bailian", bailian, [0, 386_000_000], [17, 16], [132, 1]],
  ["burstgpt", burstgpt, [0, 50_750_000_000], [906, 36], [446, 29]],
  ["vllm-bench", vllm, [0, 1], [10, 20], [1, 2]],
  ["llmservingsim", simCsv, [0, 301_012_143], [2361, 1128], [532, 772]],
  ["llmservingsim", simJson, [0, 301_012_143], [2361, 1128], [532, 772]],
  ["vidur", vidur, [0, 125_000_000], [591, 547], [140, 248]],
  ["splitwise", splitwise, [0, 30_000_000], [374, 396], [44, 109]],
  ["blis", blis, [0, 1_000_001_000], [512, 600], [128, 12]],
  ["servegen", servegen, [0, 1_500_000_001], [100, 200], [7, 8]],
  ["aiperf", aiperf, [0, 1], [550, 551], [9, 10]],
  ["inference-perf", inferencePerf, [0, 1_250_000_000], [591, 6], [140, 1]],
] as const;

describe.each(cases)("%s", (name, text, arrivalNs, promptTokens, outputTokens) => {
  test.each(["plain", "gzip"])("is recognised and read to the nanosecond, %s", async (packing) => {
    const bytes = packing === "gzip" ? gzipSync(text) : Buffer.from(text);
    const path = traceFile(bytes);
    const table = await loadRequests("auto", path);
    expect([...table.arrivalNs]).toEqual(arrivalNs);
    expect([...table.promptTokens]).toEqual(promptTokens);
    expect([...table.outputTokens]).toEqual(outputTokens);
    expect(table).toMatchObject({ count: arrivalNs.length, domainOf: null, domains: [] });
    expect(table.origin).toEqual({
      kind: "recorded",
      name: path.split(/[\\/]/).at(-1),
      digest: sha256(bytes),
      // Its columns have names that anybody may choose.
      notes: name === "servegen" ? [expect.stringContaining("times count seconds")] : [],
    });
    expect({ ...(await loadRequests(name, path)) }).toEqual(table);
  });
});

test("every format in the table is recognised by its own files", () => {
  for (const [name, text] of cases) expect(recogniseRequestFormat(text, "f")).toBe(name);
  expect(new Set(cases.map(([name]) => name))).toEqual(new Set(Object.keys(requestFormats)));
});

test("azure times agree with the calendar of the platform, any day and any offset", async () => {
  const instants = fc.array(
    fc.record({
      sinceStart: fc.integer({ min: 0, max: 80 * 86_400_000 }),
      fraction: fc.integer({ min: 0, max: 9999 }),
      offset: fc.constantFrom(-570, -60, 0, 345, 840),
    }),
    { minLength: 1, maxLength: 20 },
  );
  await fc.assert(
    fc.asyncProperty(instants, fc.integer({ min: 2019, max: 2029 }), fc.nat(11), async (drawn, year, month) => {
      const times = drawn.map((instant) => ({ ...instant, ms: Date.UTC(year, month, 20) + instant.sinceStart }));
      const lines = times.map(({ ms, fraction, offset }) => {
        const local = new Date(ms + offset * 60_000).toISOString().replace("T", " ").slice(0, -1);
        const pad = (n: number) => String(n).padStart(2, "0");
        const hours = Math.floor(Math.abs(offset) / 60);
        return `${local}${String(fraction).padStart(4, "0")}${offset < 0 ? "-" : "+"}${pad(hours)}:${pad(Math.abs(offset) % 60)},1,1`;
      });
      const table = await loadRequests(
        "azure",
        traceFile(`TIMESTAMP,ContextTokens,GeneratedTokens\n${lines.join("\n")}`),
      );
      const exact = times.map(({ ms, fraction }) => BigInt(ms) * 1_000_000n + BigInt(fraction) * 100n);
      exact.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      expect([...table.arrivalNs]).toEqual(exact.map((ns) => Number(ns - exact[0]!)));
    }),
    { numRuns: drawn(60) },
  );
});

test("columns are found by name, in any order and beside unknown ones", async () => {
  const text = 'note,GeneratedTokens,TIMESTAMP,"ContextTokens"\n"a ""b"", c",5,2024-05-10 00:00:00.009930+00:00,12.0\n';
  const table = await loadRequests("auto", traceFile(text));
  expect([table.promptTokens[0], table.outputTokens[0]]).toEqual([12, 5]);
});

test("prefix blocks keep their equalities under dense ids, in arrival order", async () => {
  const rows = fc.array(
    fc.record({
      timestamp: fc.integer({ min: 0, max: 20 }),
      hash_ids: fc.array(
        fc.integer({ min: 0, max: 9 }).map((id) => id * 1_000_003),
        { maxLength: 6 },
      ),
    }),
    { minLength: 1, maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(rows, async (drawn) => {
      const trace = drawn.map((row) => ({ ...row, input_length: row.hash_ids.length * 512 || 1, output_length: 1 }));
      const { prefix } = await loadRequests("mooncake", traceFile(jsonLines(trace)));
      const inOrder = trace
        .map((row, i) => ({ row, i }))
        .sort((a, b) => a.row.timestamp - b.row.timestamp || a.i - b.i);
      const original = inOrder.flatMap(({ row }) => row.hash_ids);
      if (original.length === 0) {
        expect(prefix).toBeNull();
        return;
      }
      const ends = inOrder.map((_, i) => inOrder.slice(0, i + 1).flatMap(({ row }) => row.hash_ids).length);
      expect([...(prefix?.offsets ?? [])]).toEqual([0, ...ends]);
      const ids = [...(prefix?.ids ?? [])];
      expect(ids.map((id) => ids.indexOf(id))).toEqual(original.map((id) => original.indexOf(id)));
      expect(Math.max(...ids)).toBe(new Set(original).size - 1);
    }),
    { numRuns: drawn(40) },
  );
});

test("the file's own kinds of request become classes", async () => {
  expect((await loadRequests("auto", traceFile(bailian))).classes).toEqual(["text", "search"]);
  const table = await loadRequests("auto", traceFile(burstgpt));
  expect([...table.classOf].map((index) => table.classes[index])).toEqual(["Conversation log", "API log"]);
});

test("llmservingsim's benchmark rows give arrivals in wall-clock seconds", async () => {
  const rows = [1777144890.5122073, 1777144890.793941];
  const text = jsonLines(
    rows.map((arrival_time) => ({ request_id: "b", input_toks: 1, output_toks: 1, arrival_time })),
  );
  const table = await loadRequests("auto", traceFile(text));
  expect(Math.abs(table.arrivalNs[1]! - 281_733_700)).toBeLessThanOrEqual(300); // float64 seconds step by 238 ns there
});

test("requests without tokens are counted and left out", async () => {
  const text = "Timestamp,Model,Request tokens,Response tokens\n1,m,5,0\n2,m,0,5\n3,m,6,7\n";
  const table = await loadRequests("auto", traceFile(text));
  expect([...table.promptTokens]).toEqual([6]);
  expect(table.origin.notes).toEqual(["2 rows without prompt or output tokens left out (first: line 2)"]);
});

test("out-of-order rows are sorted, equal arrivals keep file order, and the note counts them", async () => {
  const times = [5, 3, 3, 9, 3];
  const rows = times.map((timestamp, i) => ({ timestamp, input_length: i + 1, output_length: 1 }));
  const table = await loadRequests("mooncake", traceFile(jsonLines(rows)));
  expect([...table.promptTokens]).toEqual([2, 3, 5, 1, 4]);
  expect([...table.arrivalNs]).toEqual([0, 0, 0, 2e6, 6e6]);
  expect(table.origin.notes).toContain("2 rows earlier than the row before them; sorted by arrival");
});

test("quantised timestamps are pointed out", async () => {
  const rows = Array.from({ length: 9 }, (_, i) => ({
    timestamp: i < 5 ? 0 : 3000,
    input_length: 1,
    output_length: 1,
  }));
  const table = await loadRequests("mooncake", traceFile(jsonLines(rows)));
  expect(table.origin.notes.join()).toContain("9 requests share 2 arrival times");
});

test("line ends and chunk borders do not change what is read", async () => {
  const rows = Array.from(
    { length: 20_000 },
    (_, i) => `2023-11-16 00:00:${String(i % 60).padStart(2, "0")},${i + 1},3`,
  );
  const header = "TIMESTAMP,ContextTokens,GeneratedTokens";
  const unix = await loadRequests("auto", traceFile(`${header}\n${rows.join("\n")}\n`));
  const windows = await loadRequests("auto", traceFile(`\ufeff${header}\r\n${rows.join("\r\n")}`));
  expect(unix.count).toBe(20_000);
  expect(windows.promptTokens.join() === unix.promptTokens.join()).toBe(true);
  expect(windows.arrivalNs.join() === unix.arrivalNs.join()).toBe(true);
});

test("characters that a chunk border cuts are read whole", async () => {
  const name = "対".repeat(1000);
  const rows = `1,1,1,${name}\n`.repeat(300);
  for (const shift of ["", " ", "  "]) {
    const text = `Timestamp,Request tokens,Response tokens,Log Type${shift}\n${rows}`;
    expect((await loadRequests("auto", traceFile(text))).classes).toEqual([name]);
  }
});
