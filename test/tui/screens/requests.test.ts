import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { quantile } from "../../../src/core/quantile.ts";
import { localFiles } from "../../../src/files/local-files.ts";
import { type RequestTrace, traceKinds } from "../../../src/forecast/details/request-trace.ts";
import { traceRequest } from "../../../src/forecast/details/trace-request.ts";
import { makePalette, plainPalette } from "../../../src/report/widgets/palette.ts";
import { styledWidth } from "../../../src/report/widgets/styled-text.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { type RequestRows, requestStatus } from "../../../src/sim/result.ts";
import { radixOrder } from "../../../src/tui/screens/radix-order.ts";
import { columnAt, requestColumns } from "../../../src/tui/screens/request-columns.ts";
import { requestFilter } from "../../../src/tui/screens/request-filter.ts";
import { shownRequests } from "../../../src/tui/screens/request-order.ts";
import { type RequestsState, requestsScreen } from "../../../src/tui/screens/requests.ts";
import type { RunRecord } from "../../../src/tui/state/run-record.ts";
import { bodyArea } from "../../../src/tui/view/layout.ts";
import { drawn } from "../../drawn.ts";
import { acted, coreOf, type EndedRun, endedRun } from "./ended-run.ts";

const file = "scenarios/ci/pass.yaml";
const settings = ["traffic.requests=60", "traffic.arrivals.requestRate=20/s"];
const actions = ["up", "down", "pageUp", "pageDown", "first", "last", "sort", "sortBack", "reverse", "trace"];
const small = { width: 80, height: 24 };
let run: EndedRun;
let trace: RequestTrace;
let rows: RequestRows;

beforeAll(async () => {
  run = await endedRun(file, settings);
  rows = run.details.requests;
  const scenario = parseScenario(readFileSync(file, "utf8"), file, { settings, params: {} });
  trace = (await traceRequest(scenario, 30, localFiles))!;
});

const stateOf = (own: unknown) => own as RequestsState;
const traced = (): Partial<RunRecord> => ({ ...run, trace: { kind: "done", of: 30, trace } });
const view = (record: Partial<RunRecord>, size = small, own: Partial<RequestsState> = {}, palette = plainPalette) =>
  requestsScreen.view(
    { ...stateOf(requestsScreen.start), run: 1, ...own },
    coreOf(record, size),
    bodyArea(size),
    palette,
  );
const matches = (text: string) => {
  const { wanted, problem } = requestFilter(text, rows);
  expect(problem).toBeNull();
  return Array.from({ length: rows.count }, (_, request) => request).filter((request) => wanted?.(request) ?? true);
};
const all = () => Array.from({ length: rows.count }, (_, request) => request);

describe("order", () => {
  test("places of values are those of a stable sort, NaN last", () => {
    const value = fc.oneof(
      fc.double({ min: 0, noNaN: true }).map((x) => x + 0),
      fc.nat(3),
      fc.nat(2_000_000_000).map((x) => x * 1000),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), (values) => {
        const { order, known } = radixOrder(Float64Array.from(values));
        const places = values.map((_, i) => i);
        const sorted = places.filter((i) => !Number.isNaN(values[i]!)).sort((a, b) => values[a]! - values[b]! || a - b);
        expect([...order]).toEqual([...sorted, ...places.filter((i) => Number.isNaN(values[i]!))]);
        expect(known).toBe(sorted.length);
      }),
    );
  });

  test("every column is sorted both ways, with all requests once, and its quantiles are of what is shown", () => {
    for (const [column, { value }] of requestColumns.entries())
      for (const descending of [false, true])
        for (const filter of ["", "class=chat", "ttft>30ms"]) {
          const { requests, known, median, p99 } = shownRequests(rows, { column, descending, filter });
          expect([...requests].sort((a, b) => a - b)).toEqual(matches(filter));
          const values = [...requests.subarray(0, known)].map((request) => value(rows, request));
          const places = [...requests.subarray(0, known)].sort(
            (a, b) => (descending ? -1 : 1) * (value(rows, a) - value(rows, b)) || a - b,
          );
          expect([...requests.subarray(0, known)]).toEqual(places);
          if (known === 0) continue;
          expect(median).toBeCloseTo(quantile(Float64Array.from(values), 0.5), 6);
          expect(p99).toBeCloseTo(quantile(Float64Array.from(values), 0.99), 6);
        }
  });

  test("over the counted requests the quantiles are those of the forecast", () => {
    const { median, p99, known } = shownRequests(rows, {
      column: columnAt("ttft"),
      descending: false,
      filter: "completed !warmup",
    });
    const { ttft } = run.forecast.latency;
    expect(known).toBe(run.forecast.requests.completed - run.forecast.requests.warmup);
    expect(median / 1e6).toBeCloseTo(ttft.p50!, 6);
    expect(p99 / 1e6).toBeCloseTo(ttft.p99!, 6);
  });
});

describe("filter", () => {
  test("comparisons, words, ids, names, and what they do not hold for", () => {
    const ttft = (request: number) => rows.firstTokenNs[request]! - rows.arrivalNs[request]!;
    expect(matches("ttft>40ms")).toEqual(all().filter((request) => ttft(request) > 40e6));
    expect(matches("ttft > 40 ms  prompt<=400")).toEqual(
      all().filter((request) => ttft(request) > 40e6 && rows.promptTokens[request]! <= 400),
    );
    expect(matches("class=summary")).toEqual(
      all().filter((request) => rows.classes[rows.classOf[request]!] === "summary"),
    );
    expect(matches("!summary")).toEqual(matches("class!=summary"));
    expect(matches("17")).toEqual([17]);
    expect(matches("id=17")).toEqual([17]);
    expect(matches("completed")).toEqual(all().filter((request) => rows.status[request] === requestStatus.completed));
    expect(matches("warmup")).toHaveLength(rows.warmup);
    expect(matches("preempted cached rejected")).toEqual([]);
    expect(matches("nothing-is-called-so")).toEqual([]);
    expect(matches("  ")).toEqual(all());
  });

  test("what cannot be meant is said, and leaves the rest", () => {
    const problem = (text: string) => requestFilter(text, rows).problem;
    expect(problem("tfft>1s")).toContain('no column "tfft"');
    expect(problem("ttft>fast")).toContain("a duration, such as 500ms");
    expect(problem("prompt>1.5")).toContain("a whole number");
    expect(problem("class=chess")).toContain("chat, summary");
    expect(problem("class>chat")).toContain("a name");
    const { requests } = shownRequests(rows, { column: 0, descending: false, filter: "ttft>fast class=chat" });
    expect([...requests]).toEqual(matches("class=chat"));
  });

  test("no text makes it fail", () => {
    const part = fc.oneof(
      fc.string(),
      fc.constantFrom("ttft", ">", "=", "!", "class", " ", "5ms", "constructor", "__proto__"),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const { wanted, problem } = requestFilter(parts.join(""), rows);
        expect(typeof (wanted?.(0) ?? true)).toBe("boolean");
        expect(problem === null || problem.length > 0).toBe(true);
      }),
      { numRuns: drawn(200) },
    );
  });
});

describe("state", () => {
  test("the selection stays inside whatever is shown", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...actions), { maxLength: 12 }),
        fc.constantFrom("", "17", "none"),
        (acts, filter) => {
          const core = coreOf(traced());
          const filtered = requestsScreen.typed!(requestsScreen.start, "filter", filter, true, core).own;
          const own = stateOf(acted(requestsScreen, core, acts, filtered));
          const { requests } = shownRequests(rows, own);
          expect(own.selected).toBeGreaterThanOrEqual(0);
          expect(own.selected).toBeLessThan(Math.max(1, requests.length));
          expect(own.from).toBeLessThanOrEqual(own.selected);
          expect(own.span).toBeLessThan(trace.spans.length);
          expect(() => requestsScreen.view(own, core, bodyArea(core.size), plainPalette)).not.toThrow();
        },
      ),
      { numRuns: drawn(100) },
    );
  });

  test("Enter has the selected request followed, once; going back closes it, and gives it up where it is not there yet", () => {
    const core = coreOf(run);
    const chosen = stateOf(acted(requestsScreen, core, ["down", "down"]));
    const opened = requestsScreen.act(chosen, "trace", core, bodyArea(small));
    expect(opened.intents).toEqual([{ kind: "trace", run: 1, of: 2 }]);
    expect(requestsScreen.back!(opened.own, core)).toMatchObject({
      own: { open: null, selected: 2 },
      intents: [{ kind: "trace", run: 1, of: null }],
    });
    expect(requestsScreen.back!(chosen, core)).toBeNull();
    const known = coreOf(traced());
    const again = requestsScreen.act({ ...chosen, selected: 30 }, "trace", known, bodyArea(small));
    expect(again.intents).toEqual([]);
    expect(requestsScreen.back!(again.own, known)).toMatchObject({ intents: [] });
  });

  test("a request that was not completed is not followed", () => {
    const status = rows.status.map((one, request) => (request === 0 ? requestStatus.rejected : one));
    const core = coreOf({ ...run, details: { ...run.details, requests: { ...rows, status } } });
    const { own, intents } = requestsScreen.act(requestsScreen.start, "trace", core, bodyArea(small));
    expect(stateOf(own).open).toBeNull();
    expect(intents).toMatchObject([{ kind: "say" }]);
  });

  test("what was selected in one run says nothing of another", () => {
    const core = coreOf(run);
    const other = { ...core, runs: [{ ...core.runs[0]!, id: 7 }], current: 7 };
    const own = stateOf(acted(requestsScreen, core, ["last"]));
    expect(stateOf(acted(requestsScreen, other, ["sort"], { ...own, open: 3 }))).toMatchObject({
      run: 7,
      open: null,
      selected: 0,
    });
  });

  test("without requests it says why, and what gives them", () => {
    expect(requestsScreen.missing!(coreOf(null))).toContain("No run yet");
    expect(requestsScreen.missing!(coreOf({ stand: "running", snapshot: run.snapshot }))).toContain(
      "when the run has ended",
    );
    expect(requestsScreen.missing!(coreOf({ stand: "loaded", forecast: run.forecast }))).toContain("run its scenario");
    expect(requestsScreen.missing!(coreOf({ stand: "failed", message: "no" }))).toContain("failed");
    expect(requestsScreen.missing!(coreOf({ ...run, details: null }))).toContain("run it again");
    expect(requestsScreen.missing!(coreOf(run))).toBeNull();
  });
});

describe("trace", () => {
  test("a request that is followed fares as it did in the run", () => {
    expect(trace.arrivalNs).toBe(rows.arrivalNs[30]);
    expect(trace.firstTokenNs).toBe(rows.firstTokenNs[30]);
    expect(trace.lastTokenNs).toBe(rows.lastTokenNs[30]);
    const parts = traceKinds.reduce((total, kind) => total + trace.ns[kind], 0);
    expect(parts).toBe(rows.lastTokenNs[30]! - rows.arrivalNs[30]!);
  });

  test("the shares that are shown add up to all of its time", () => {
    const shares = view(traced(), { width: 120, height: 40 }, { open: 30 }).flatMap((line) => {
      const found = / (\d+\.\d)%$/.exec(line);
      return found === null ? [] : [Number(found[1])];
    });
    expect(shares).toHaveLength(traceKinds.filter((kind) => trace.ns[kind] > 0).length);
    expect(shares.reduce((total, share) => total + share, 0)).toBeCloseTo(100, 0);
  });

  test("while it is made the screen says how far it is, and what went wrong", () => {
    const text = (record: RunRecord["trace"]) => view({ ...run, trace: record }, small, { open: 30 }).join("\n");
    expect(text(null)).toContain("waits for the engine");
    expect(text({ kind: "done", of: 7, trace })).toContain("waits for the engine");
    expect(text({ kind: "going", of: 30, share: 0.42 })).toContain("42%");
    expect(text({ kind: "failed", of: 30, message: "gone\u001b[2J" })).not.toContain("\u001b");
  });
});

test("no line is wider than the screen, and none are too many, whatever the size", () => {
  const palettes = [plainPalette, makePalette({ depth: "256", unicode: true })];
  const hostile = { ...rows, classes: rows.classes.map((name) => `${name}\u001b[31m\n界`) };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 60 }),
      fc.nat(requestColumns.length - 1),
      fc.constantFrom(null, 30),
      fc.constantFrom("", "17", "none", "ttft>", "\u001b[2Jx"),
      fc.constantFrom(...palettes),
      (width, height, column, open, filter, palette) => {
        const size = { width, height };
        const lines = view(
          { ...traced(), details: { ...run.details, requests: hostile } },
          size,
          { column, open, filter },
          palette,
        );
        const area = bodyArea(size);
        expect(lines.length).toBeLessThanOrEqual(area.height);
        for (const line of lines) {
          expect(styledWidth(line)).toBeLessThanOrEqual(width);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: marks of the palette are taken away
          expect(line.replace(/\u001b\[[\d;]*m/g, "")).not.toMatch(/[\u0000-\u001f]/);
          expect(line).not.toContain("[31m\n");
        }
      },
    ),
    { numRuns: drawn(120) },
  );
});

test("the table", () => {
  expect(view(run, small, { column: columnAt("ttft"), descending: true }).join("\n")).toMatchInlineSnapshot(`
    "60 requests  TTFT median 51 ms, p99 132 ms  with the 3 of the warm-up
    Enter follows one, / filters: ttft>500ms class=chat !preempted replica=2 17
       id  class    arrival  prompt  output    queue   TTFT v     TPOT     E2E
    >  13  summary   677 ms   6,000     156  62.1 ms   140 ms  7.58 ms  1.32 s
       45  summary   2.27 s   4,784     301  62.7 ms   126 ms  5.81 ms  1.87 s
        3  summary   180 ms   5,352     242  55.9 ms   126 ms  7.84 ms  2.02 s
       49  summary   2.36 s   3,813      98  67.1 ms   119 ms  6.96 ms  794 ms
       46  chat      2.32 s     218     115  86.2 ms   111 ms  7.34 ms  948 ms
       40  chat      2.09 s   3,717     164  55.5 ms   106 ms  7.68 ms  1.36 s
        4  chat      226 ms     145      97  84.2 ms  94.7 ms  8.23 ms  884 ms
       47  chat      2.34 s     912      69  63.8 ms  88.9 ms  7.63 ms  608 ms
       50  chat      2.42 s     175      93  72.5 ms  84.2 ms  6.94 ms  722 ms
       48  chat      2.35 s     232      35  56.5 ms  81.6 ms  8.17 ms  359 ms
       15  summary   815 ms   2,635     196  42.7 ms    81 ms  8.33 ms  1.71 s
       16  chat      836 ms     406      26  66.9 ms    81 ms   7.5 ms  268 ms
       44  chat      2.26 s     436     201  58.1 ms  72.6 ms  6.87 ms  1.45 s
       43  chat      2.25 s   1,708     389  37.4 ms  66.1 ms  5.54 ms  2.22 s
        5  chat      371 ms   1,614      65  35.8 ms  63.1 ms   9.1 ms  646 ms
    1-15 of 60"
  `);
});

test("the trace", () => {
  expect(view(traced(), small, { open: 30 }).join("\n")).toMatchInlineSnapshot(`
    "Request 30  chat  683 prompt tokens, 174 output tokens
    arrival 1.59 s  queue 33 ms  TTFT 50.2 ms  TPOT 8.32 ms  E2E 1.49 s  replica 0
    front end      #                                                    25.4 ms 1.7%
    queue           =                                                   7.65 ms 0.5%
    prefill         +                                                   17.2 ms 1.2%
    decode alone     - - -- ------- --  ----   -  -------- --- --- - -- 957 ms 64.3%
    beside prompts   oo oo o o     o  oo o  ooo oo o      o  oo   o o   482 ms 32.3%
                  ++----------------+----------------+-----------------
                   0 ns           500 ms            1 s
    front end: it waits for a front end and is tokenised
          from    takes
    >     0 ns  25.4 ms  front end                                                  
       25.4 ms  7.65 ms  queue           behind 1 step
         33 ms  17.2 ms  prefill         first token
       50.2 ms  6.33 ms  decode alone
       56.5 ms  12.8 ms  beside prompts  beside 264 prompt tokens of others
       69.3 ms  25.5 ms  decode alone    4 steps, mean 6.38 ms, longest 6.38 ms
       94.8 ms  21.8 ms  beside prompts  beside 281 prompt tokens of others, 2 step~
    1-7 of 44"
  `);
  expect(view(traced(), { width: 120, height: 40 }, { open: 30, span: 2 }).join("\n")).toMatchInlineSnapshot(`
    "Request 30  chat  683 prompt tokens, 174 output tokens
    arrival 1.59 s  queue 33 ms  TTFT 50.2 ms  TPOT 8.32 ms  E2E 1.49 s  replica 0
    front end      ##                                                                                           25.4 ms 1.7%
    queue            =                                                                                          7.65 ms 0.5%
    prefill          +                                                                                          17.2 ms 1.2%
    decode alone      --- --- ---- - ----------- ----    ------      -    ------------------- - ----------  --- 957 ms 64.3%
    beside prompts    o  o   o    o oo          o    ooooo     oooooo oooo o             o   o o       o  oo    482 ms 32.3%
                  ++-----------+-----------+------------+-----------+-----------+------------+-----------+-----
                   0 ns      200 ms      400 ms       600 ms      800 ms       1 s         1.2 s       1.4 s
    prefill: steps that compute its prompt
          from    takes                  tokens  batch
          0 ns  25.4 ms  front end
       25.4 ms  7.65 ms  queue                          behind 1 step
    >    33 ms  17.2 ms  prefill            683     18  first token                                                         
       50.2 ms  6.33 ms  decode alone         1     18
       56.5 ms  12.8 ms  beside prompts       1     19  beside 264 prompt tokens of others
       69.3 ms  25.5 ms  decode alone         4     19  4 steps, mean 6.38 ms, longest 6.38 ms
       94.8 ms  21.8 ms  beside prompts       2     19  beside 281 prompt tokens of others, 2 steps, mean 10.9 ms, longest ~
        117 ms  38.2 ms  decode alone         6     19  6 steps, mean 6.37 ms, longest 6.37 ms
     !  155 ms    14 ms  beside prompts       1     20  stalled by 389 prompt tokens of others
     !  169 ms  14.2 ms  beside prompts       1     21  stalled by 403 prompt tokens of others
        183 ms  57.7 ms  decode alone         9   19.9  9 steps, mean 6.42 ms, longest 6.48 ms
     !  241 ms  14.4 ms  beside prompts       1     19  stalled by 428 prompt tokens of others
        255 ms  19.1 ms  decode alone         3     19  3 steps, mean 6.38 ms, longest 6.38 ms
        274 ms  11.3 ms  beside prompts       1     20  beside 164 prompt tokens of others
        286 ms  6.42 ms  decode alone         1     20
        292 ms    12 ms  beside prompts       1     21  beside 206 prompt tokens of others
        304 ms   166 ms  decode alone        26   19.6  26 steps, mean 6.38 ms, longest 6.48 ms
     !  470 ms  22.5 ms  beside prompts       1     19  stalled by 1,111 prompt tokens of others
        492 ms    57 ms  decode alone         9     19  9 steps, mean 6.33 ms, longest 6.33 ms
        549 ms  10.3 ms  beside prompts       1     20  beside 108 prompt tokens of others
     !  560 ms  50.1 ms  beside prompts       1     21  stalled by 3,717 prompt tokens of others
        610 ms  6.36 ms  decode alone         1     20
     !  616 ms  20.1 ms  beside prompts       1     21  stalled by 904 prompt tokens of others
    1-23 of 44"
  `);
});
