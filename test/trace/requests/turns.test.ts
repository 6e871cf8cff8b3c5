import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadRequests } from "../../../src/trace/requests/load-requests.ts";
import { summariseRequests } from "../../../src/trace/requests/summarise-requests.ts";
import { drawn } from "../../drawn.ts";
import { jsonLines, problemsOf, saidOf, traceFiles } from "./trace-files.ts";

const traceFile = traceFiles();
const read = (rows: readonly object[], options = {}) => loadRequests("auto", traceFile(jsonLines(rows)), options);

const withoutBlocks = (rows: readonly object[]) => rows.map((row) => ({ ...row, hash_ids: undefined }));

/** Who waits for whom, and how long, ms. */
const waitsOf = ({ turns }: Awaited<ReturnType<typeof read>>) =>
  Array.from(turns?.waitNs ?? [], (wait, i) => [
    [...turns!.previous.subarray(turns!.offsets[i], turns!.offsets[i + 1])],
    wait / 1e6,
  ]);

describe("sessions whose prompts count only what is new, as AIPerf writes them", () => {
  const rows = [
    { session_id: "s1", timestamp: 0, input_length: 300, output_length: 40, hash_ids: [1] },
    { session_id: "s1", delay: 50, input_length: 80, output_length: 20 },
    { session_id: "s2", timestamp: 100, input_length: 300, output_length: 40, hash_ids: [1] },
  ];

  test("wait for the turn before and have all that was said before in front of them", async () => {
    const table = await read(rows);
    expect([...table.arrivalNs]).toEqual([0, 50e6, 100e6]);
    expect([...table.promptTokens]).toEqual([300, 300 + 40 + 80, 300]);
    expect(waitsOf(table)).toEqual([
      [[], 0],
      [[0], 50],
      [[], 0],
    ]);
    expect(saidOf(table).join("; ")).toContain("their prompts count only what is new");
  });

  test("share with the turn before its prompt and answer, and with another session its prompt, in full blocks", async () => {
    const { prefix } = await read(rows);
    const of = (i: number) => [...prefix!.ids.subarray(prefix!.offsets[i], prefix!.offsets[i + 1])];
    // Of 300 + 40 tokens all but the last are computed: 21 full blocks.
    expect([prefix?.blockTokens, of(0).length, of(1).length, of(2).length]).toEqual([16, 21, 27, 19]);
    expect(of(1).slice(0, 21)).toEqual(of(0));
    expect(of(2).slice(0, 18)).toEqual(of(0).slice(0, 18));
    expect(of(2)[18]).not.toBe(of(0)[18]);
  });

  test("are known by prompts of one length, which no growing conversation has", async () => {
    const session = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((turn) => ({
      session_id: "s",
      ...(turn === 0 ? { timestamp: 0 } : { delay: 10 }),
      input_length: 100,
      output_length: 20,
    }));
    const table = await read(session);
    expect([...table.promptTokens.subarray(0, 3)]).toEqual([100, 220, 340]);
  });

  test("are not those whose first block is another once it is full", async () => {
    const session = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((turn) => ({
      session_id: "s",
      ...(turn === 0 ? { timestamp: 0 } : { delay: 10 }),
      input_length: 300 + 400 * turn,
      output_length: 20,
      hash_ids: turn === 0 ? [99] : Array.from({ length: Math.ceil((300 + 400 * turn) / 512) }, (_, i) => i),
    }));
    // Of one session with a short first turn the others still begin alike.
    expect(saidOf(await read(session)).join("; ")).toContain("count the whole conversation");
    expect([...(await read(session.slice(0, 2), { turnPrompts: "whole" })).promptTokens]).toEqual([300, 700]);
    const pairs = Array.from({ length: 8 }, (_, s) =>
      session
        .slice(0, 2)
        .map((row) => ({ ...row, session_id: `s${s}`, hash_ids: row.hash_ids.map((id) => 1000 * s + id) })),
    );
    expect(saidOf(await read(pairs.flat())).join("; ")).toContain("count the whole conversation");
  });

  test("share their prompts without any block ids too", async () => {
    const { prefix } = await read(withoutBlocks(rows));
    const of = (i: number) => [...prefix!.ids.subarray(prefix!.offsets[i], prefix!.offsets[i + 1])];
    expect(of(1).slice(0, 21)).toEqual(of(0));
    expect(of(2)).toEqual([]);
  });

  test("add up over any number of turns, in any order of sessions, whatever is shared", async () => {
    const turn = fc.record({
      session: fc.nat(3),
      prompt: fc.integer({ min: 1, max: 700 }),
      output: fc.integer({ min: 1, max: 90 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 25 }), async (turns) => {
        const table = await read(
          turns.map(({ session, prompt, output }) => ({
            session_id: `s${session}`,
            timestamp: 0,
            input_length: prompt,
            output_length: output,
          })),
          { turnPrompts: "added" },
        );
        const said = [0, 0, 0, 0];
        const expected = turns.map(({ session, prompt, output }) => {
          const tokens = said[session]! + prompt;
          said[session] = tokens + output;
          return tokens;
        });
        expect([...table.promptTokens]).toEqual(expected);
        const { prefix } = table;
        const last = [-1, -1, -1, -1];
        for (const [i, { session }] of turns.entries()) {
          const before = last[session]!;
          last[session] = i;
          if (before < 0) continue;
          const of = (row: number) => [...prefix!.ids.subarray(prefix!.offsets[row], prefix!.offsets[row + 1])];
          const computed = Math.floor((expected[before]! + turns[before]!.output - 1) / 16);
          expect(of(before)).toHaveLength(computed);
          expect(of(i).slice(0, computed)).toEqual(of(before));
          expect(
            of(i)
              .slice(computed)
              .some((id) => of(before).includes(id)),
          ).toBe(false);
        }
      }),
      { numRuns: drawn(40) },
    );
  });
});

describe("sessions whose prompts count the whole conversation", () => {
  const rows = [
    { session_id: 7, timestamp: 0, input_length: 1000, output_length: 40, hash_ids: [1, 2] },
    { session_id: 8, timestamp: 10, input_length: 500, output_length: 40, hash_ids: [1] },
    { session_id: 7, delay: 5, input_length: 1600, output_length: 20, hash_ids: [1, 2, 9, 4] },
  ];

  test("are told by their blocks, and read as they are", async () => {
    const table = await read(rows);
    expect([...table.promptTokens]).toEqual([1000, 1600, 500]);
    expect(table.prefix?.blockTokens).toBe(512);
    expect(summariseRequests(table).prefix?.distinct).toBe(4);
    expect(saidOf(table).join("; ")).toContain("their prompts count the whole conversation");
  });

  test("name the blocks of an answer with the turn that follows, if that has it in front of what is new", async () => {
    const turns = (prompt: number, blocks: readonly number[]) => [
      { session_id: 7, timestamp: 0, input_length: 100, output_length: 30, hash_ids: [1, 2, 3, 4, 5, 6, 70] },
      { session_id: 7, delay: 5, input_length: prompt, output_length: 1, hash_ids: blocks },
    ];
    const first = async (...next: Parameters<typeof turns>) => {
      const { prefix } = await read(turns(...next), { blockTokens: 16, turnPrompts: "whole" });
      return [...prefix!.ids.subarray(0, prefix!.offsets[1])].map((id) => prefix!.ids.indexOf(id));
    };
    // Of 130 tokens 129 are computed, 8 full blocks; the seventh goes on where the prompt ended.
    const { prefix } = await read(turns(160, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), { blockTokens: 16 });
    const of = (i: number) => [...prefix!.ids.subarray(prefix!.offsets[i], prefix!.offsets[i + 1])];
    expect(of(0)).toEqual(of(1).slice(0, 8));
    // Too short for the answer, or another beginning: its own blocks stay.
    expect(await first(128, [1, 2, 3, 4, 5, 6, 7, 8])).toHaveLength(7);
    expect(await first(160, [1, 2, 3, 4, 5, 99, 7, 8, 9, 10])).toHaveLength(7);
  });

  test("are told by the rows", async () => {
    const plain = withoutBlocks(rows).map((row) => ({ ...row, context_mode: "message_array_with_responses" }));
    const { promptTokens, prefix } = await read(plain);
    expect([...promptTokens]).toEqual([1000, 1600, 500]);
    const of = (i: number) => [...prefix!.ids.subarray(prefix!.offsets[i], prefix!.offsets[i + 1])];
    expect(of(1).slice(0, 62)).toEqual(of(0).slice(0, 62));
    const mode = await problemsOf(read(plain.map((row) => ({ ...row, context_mode: "deltas_with_responses" }))));
    expect(mode[0]).toMatchObject({ line: 1, at: "context_mode" });
  });

  test("that nothing tells have to be said", async () => {
    const plain = withoutBlocks(rows);
    expect((await problemsOf(read(plain)))[0]?.hint).toContain("whole or added");
    expect([...(await read(plain, { turnPrompts: "whole" })).promptTokens]).toEqual([1000, 1600, 500]);
    expect([...(await read(plain, { turnPrompts: "added" })).promptTokens]).toEqual([1000, 2640, 500]);
  });
});

describe("requests of agents that wait for others, as Dynamo writes them", () => {
  const row = (request_id: string, more: object) => ({
    request_id,
    input_length: 600,
    output_length: 9,
    hash_ids: [1, 2],
    ...more,
  });

  test("wait for all of them, for tools and for their delay", async () => {
    const table = await read([
      row("a", { timestamp: 0 }),
      row("b", { timestamp: 1000 }),
      row("c", { wait_for: ["a", "b"], delay: 2, tool_wait_ms: 40 }),
      row("d", { wait_for: ["c"] }),
    ]);
    expect(waitsOf(table)).toEqual([
      [[], 0],
      [[], 0],
      [[0, 1], 42],
      [[2], 0],
    ]);
    expect([...table.arrivalNs]).toEqual([0, 1000e6, 1042e6, 1042e6]);
  });

  test("wait for rows before them only", async () => {
    const problems = await problemsOf(
      read([row("a", { wait_for: ["b"] }), row("b", { timestamp: 0 }), row("c", { wait_for: ["c"] })]),
    );
    expect(problems.map(({ line, found }) => [line, found])).toEqual([
      [1, "b"],
      [3, "c"],
    ]);
  });

  test("with typed dependencies are refused by name", async () => {
    const dependencies = [{ request_id: "a", trigger: "dispatch", delay_ms: 5, relation: "spawn" }];
    expect((await problemsOf(read([row("b", { timestamp: 0, dependencies })])))[0]).toMatchObject({
      at: "dependencies",
    });
  });
});

test("Frontier's think times are waits", async () => {
  const text =
    "session_start_at,think_time,num_prefill_tokens,num_decode_tokens,session_id\n1.5,0,100,5,a\n2,0,100,5,b\n,0.25,40,5,a\n";
  const table = await loadRequests("auto", traceFile(text));
  expect(waitsOf(table)).toEqual([
    [[], 0],
    [[0], 250],
    [[], 0],
  ]);
  expect([...table.promptTokens]).toEqual([100, 145, 100]);
});

describe("parts of a trace with sessions", () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({
    session_id: `s${i % 20}`,
    ...(i < 20 ? { timestamp: i * 1000 } : { delay: 10 }),
    input_length: i < 20 ? 500 : 60,
    output_length: 5,
  }));

  test("keep or leave out sessions as a whole when they are thinned", async () => {
    const table = await read(rows, { thin: 0.5 });
    expect(table.count % 3).toBe(0);
    expect(table.count).toBeGreaterThan(9);
    expect(table.count).toBeLessThan(51);
    expect(waitsOf(table).filter(([previous]) => (previous as number[]).length > 0)).toHaveLength(
      (table.count / 3) * 2,
    );
  });

  test("keep later turns with the first ones of their sessions when they are cut", async () => {
    const table = await read(rows, { fromNs: 5e9, untilNs: 8e9 });
    expect(table.count).toBe(9);
    expect(table.arrivalNs[0]).toBe(0);
    for (const [i, [previous]] of waitsOf(table).entries())
      for (const earlier of previous as number[]) expect(earlier).toBeLessThan(i);
  });

  test("wait as much shorter as time is compressed", async () => {
    const fast = await read(rows, { rateScale: 2 });
    expect(Math.max(...fast.turns!.waitNs)).toBe(5e6);
  });
});

test("rows without time that wait for nobody are refused where others have one", async () => {
  const problems = await problemsOf(
    read([
      { timestamp: 0, input_length: 5, output_length: 5 },
      { input_length: 5, output_length: 5 },
      { session_id: "a", delay: 4, input_length: 5, output_length: 5 },
    ]),
  );
  expect(problems.map(({ line, at }) => [line, at])).toEqual([
    [2, "timestamp"],
    [3, "timestamp"],
  ]);
});

test("conversations that say nowhere when they begin are refused for a replay", async () => {
  const rows = [
    { session_id: "a", input_length: 50, output_length: 5 },
    { session_id: "a", delay: 4, input_length: 5, output_length: 5 },
  ];
  expect((await problemsOf(read(rows, { arrivals: "needed" })))[0]?.found).toBe("turns without any time");
});
