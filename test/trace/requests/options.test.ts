import fc from "fast-check";
import { expect, test } from "vitest";
import { loadRequests } from "../../../src/trace/requests/load-requests.ts";
import { drawn } from "../../drawn.ts";
import { jsonLines, numberedTrace, traceFiles } from "./trace-files.ts";

const traceFile = traceFiles();
const trace = traceFile(numberedTrace(4000));

test("limit keeps the first requests of the file", async () => {
  const table = await loadRequests("auto", trace, { limit: 3 });
  expect([...table.promptTokens]).toEqual([1, 2, 3]);
  expect(table.origin.notes).toEqual(["first 3 requests only"]);
  const all = await loadRequests("auto", trace, { limit: 5000 });
  expect([all.count, all.origin.notes]).toEqual([4000, []]);
});

test("the digest is that of the whole file, whatever part of it is used", async () => {
  const whole = await loadRequests("auto", trace);
  const part = await loadRequests("auto", trace, { limit: 3, thin: 0.5, jitterQuantumNs: 10 });
  expect(part.origin.digest).toBe(whole.origin.digest);
});

test("a rate scale divides every arrival and changes nothing else", async () => {
  const [whole, fast] = [await loadRequests("auto", trace), await loadRequests("auto", trace, { rateScale: 2.5 })];
  expect([...fast.arrivalNs]).toEqual([...whole.arrivalNs].map((atNs) => Math.round(atNs / 2.5)));
  expect(fast.promptTokens).toEqual(whole.promptTokens);
  expect(fast.origin.notes).toEqual(["time compressed by 2.5"]);
});

test("thinning keeps the stated share, and a smaller share is a subset of a larger one", async () => {
  const keep = async (thin: number, seed = 0) => [...(await loadRequests("auto", trace, { thin, seed })).promptTokens];
  const [most, few] = [await keep(0.6), await keep(0.2)];
  expect(Math.abs(few.length - 800)).toBeLessThan(4 * Math.sqrt(4000 * 0.2 * 0.8));
  expect(Math.abs(most.length - 2400)).toBeLessThan(4 * Math.sqrt(4000 * 0.6 * 0.4));
  expect(few.every((request) => most.includes(request))).toBe(true);
  expect(await keep(0.2)).toEqual(few);
  expect(await keep(0.2, 1)).not.toEqual(few);
  expect(await keep(1)).toHaveLength(4000);
});

test("thinning before the limit: the limit counts the requests that are kept", async () => {
  const thinned = await loadRequests("auto", trace, { thin: 0.25 });
  const limited = await loadRequests("auto", trace, { thin: 0.25, limit: 40 });
  expect([...limited.promptTokens]).toEqual([...thinned.promptTokens.subarray(0, 40)]);
});

test("jitter moves each request inside the quantum, by its row and the seed alone", async () => {
  const quantumNs = 3e9;
  const recorded = (request: number) => (request - 1) * 100e6;
  const moves = async (options: object) => {
    const table = await loadRequests("auto", trace, { jitterQuantumNs: quantumNs, ...options });
    const pairs = [...table.promptTokens].map((request, i) => [request, table.arrivalNs[i]!] as const);
    expect([...table.arrivalNs]).toEqual([...table.arrivalNs].sort((a, b) => a - b));
    return new Map(pairs.map(([request, atNs]) => [request, atNs - recorded(request)]));
  };
  const all = await moves({});
  expect(all.size).toBe(4000);
  const inQuantum = [...all.values()];
  expect(inQuantum.every((ns) => Number.isInteger(ns) && ns >= 0 && ns < quantumNs)).toBe(true);
  const meanNs = inQuantum.reduce((sum, ns) => sum + ns, 0) / 4000;
  expect(Math.abs(meanNs - quantumNs / 2)).toBeLessThan((4 * quantumNs) / Math.sqrt(12 * 4000));
  expect(await moves({})).toEqual(all);
  expect(await moves({ seed: 1 })).not.toEqual(all);
  for (const [request, ns] of await moves({ limit: 100 })) expect(ns).toBe(all.get(request));
  const thinned = await moves({ thin: 0.3 });
  expect(thinned.size).toBeLessThan(2000);
  const shifts = new Set([...thinned].map(([request, ns]) => (all.get(request) ?? 0) - ns));
  expect(shifts.size).toBe(1); // only by the time of the first request that is left
});

test("jitter is inside the recorded quantum: time is compressed after it", async () => {
  const jittered = await loadRequests("auto", trace, { jitterQuantumNs: 3e9 });
  const both = await loadRequests("auto", trace, { jitterQuantumNs: 3e9, rateScale: 4 });
  expect([...both.arrivalNs]).toEqual([...jittered.arrivalNs].map((atNs) => Math.round(atNs / 4)));
});

test("jitter is noted", async () => {
  const table = await loadRequests("auto", trace, { jitterQuantumNs: 3e9, seed: 4 });
  expect(table.origin.notes).toEqual(["arrivals moved by uniform jitter inside a quantum of 3 s (seed 4)"]);
});

test("jitter keeps each request's prefix blocks with it", async () => {
  const rows = fc.array(fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(rows, fc.nat(50), async (blocks, seed) => {
      const lines = blocks.map((hash_ids, i) => ({
        timestamp: 0,
        input_length: hash_ids.length * 512,
        output_length: i + 1,
        hash_ids,
      }));
      const { prefix, outputTokens } = await loadRequests("mooncake", traceFile(jsonLines(lines)), {
        jitterQuantumNs: 1e6,
        seed,
      });
      const dense = [...new Set(blocks.flat())];
      for (const [i, output] of outputTokens.entries()) {
        const held = [...(prefix?.ids.subarray(prefix.offsets[i], prefix.offsets[i + 1]) ?? [])];
        expect(held.map((id) => dense[id])).toEqual(blocks[output - 1]);
      }
    }),
    { numRuns: drawn(25) },
  );
});

test("labels name the class and the routing domain of every request", async () => {
  const table = await loadRequests("auto", trace, { class: "chat", domain: "code", limit: 2 });
  expect(table).toMatchObject({ classes: ["chat"], domains: ["code"] });
  expect([[...table.classOf], [...(table.domainOf ?? [])]]).toEqual([
    [0, 0],
    [0, 0],
  ]);
  expect((await loadRequests("auto", trace, { limit: 2 })).classes).toEqual(["default"]);
});
