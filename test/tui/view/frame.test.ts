import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plainPalette } from "../../../src/report/widgets/palette.ts";
import { type Size, styledWidth } from "../../../src/report/widgets/styled-text.ts";
import type { EngineReport } from "../../../src/tui/engine/messages.ts";
import { emptyLibrary } from "../../../src/tui/library/library.ts";
import { screens } from "../../../src/tui/screens/screens.ts";
import { type AppState, firstState } from "../../../src/tui/state/app-state.ts";
import type { Event } from "../../../src/tui/state/events.ts";
import { frame } from "../../../src/tui/view/frame.ts";
import { drawn } from "../../drawn.ts";
import { frame as shown, unicode } from "../../report/widgets/frames.ts";
import { palettes } from "../../report/widgets/widgets.ts";
import {
  begun,
  engine,
  fields,
  forecast,
  key,
  keys,
  looked,
  ofRun,
  ran,
  reports,
  request,
  running,
  told,
  typing,
} from "../example.ts";

const sizes: readonly Size[] = [
  { width: 1, height: 1 },
  { width: 20, height: 5 },
  { width: 80, height: 24 },
  { width: 120, height: 40 },
  { width: 200, height: 60 },
];
// biome-ignore lint/suspicious/noControlCharactersInRegex: the marks of a palette begin with it
const bare = (line: string) => line.replace(/\u001b\[[\d;]*m/g, "");
const hostile = "\u001b[2J\u001b]0;title\u0007\r\n\u202e専門家\u009b31m".repeat(3);

/** The run of a scenario whose every text is hostile. */
const renamed = (report: EngineReport, id: number): EngineReport =>
  report.kind === "finished"
    ? {
        ...report,
        id,
        forecast: { ...report.forecast, scenario: { ...report.forecast.scenario, name: hostile, file: hostile } },
      }
    : ofRun(report, id);
const hostileStart: Event = {
  kind: "intents",
  intents: [{ kind: "start", name: hostile, request: { ...request, file: hostile, settings: [`a=${hostile}`] } }],
};

/** States that differ in what there is to show. */
const states: readonly (readonly [string, (size: Size) => AppState])[] = [
  ["before anything", (size) => begun(size)],
  ["without any file", (size) => firstState(size, emptyLibrary, new Map())],
  ["a run that reads its inputs", (size) => told(begun(size), hostileStart)],
  ["a run that goes on", (size) => running(size)],
  ["a run that goes on and is looked at", (size) => told(running(size), engine(looked))],
  ["a run that stands still", (size) => told(running(size), ...keys("p", "f", "a"))],
  [
    "a run that was refused",
    (size) => told(running(size), engine({ kind: "failed", id: 1, message: `${hostile}\n${hostile}` })),
  ],
  ["a run that has ended", (size) => ran(size)],
  ["a saved result", (size) => told(begun(size), { kind: "loaded", forecast, file: hostile, show: true })],
  [
    "two runs with hostile names",
    (size) =>
      told(
        begun(size),
        ...[1, 2].flatMap((id) => [hostileStart, ...reports.map((report) => engine(renamed(report, id)))]),
        { kind: "said", text: hostile, tone: "bad" },
      ),
  ],
];

describe.each(states)("%s", (_, stateIn) => {
  test.each(screens.map(({ id }) => id))("%s keeps to the terminal and is inert", (id) => {
    const at = `${(screens.findIndex((one) => one.id === id) + 1) % 10}`;
    for (const size of sizes)
      for (const palette of [palettes[0]!, palettes.at(-2)!]) {
        const open = told(stateIn(size), key(at));
        expect(open.screen).toBe(id);
        for (const state of [open, told(open, key("?"))]) {
          const lines = frame(state, palette);
          expect(lines.length).toBeLessThanOrEqual(Math.max(1, size.height - 1));
          for (const line of lines) {
            expect(styledWidth(line)).toBeLessThanOrEqual(size.width);
            expect(bare(line)).not.toMatch(/[\p{Cc}\u202e]/u);
          }
          expect(bare(lines.join())).not.toMatch(/\bNaN\b|undefined|Infinity|\[object/);
        }
      }
  });
});

test("every key may be pressed on every screen, whatever there is to see", () => {
  const names = [...new Set(screens.flatMap((one) => one.keys.flatMap((binding) => binding.keys)))];
  const some = fc.record({
    state: fc.constantFrom(...states.map(([, make]) => make)),
    size: fc.constantFrom(...sizes),
    screen: fc.nat(screens.length - 1),
    pressed: fc.array(fc.constantFrom(...names), { maxLength: 12 }),
    text: fc.constantFrom("", "5", hostile, "policy"),
  });
  fc.assert(
    fc.property(some, ({ state, size, screen, pressed, text }) => {
      let now = told(state(size), key(`${(screen + 1) % 10}`));
      for (const name of pressed) {
        now = told(now, key(name));
        if (now.prompt !== null) now = told(now, ...typing(text));
      }
      const lines = frame(now, plainPalette);
      expect(lines.length).toBeLessThanOrEqual(Math.max(1, size.height - 1));
      for (const line of lines) {
        expect(styledWidth(line)).toBeLessThanOrEqual(size.width);
        expect(line).not.toMatch(/[\p{Cc}\u202e]/u);
      }
    }),
    { numRuns: drawn(300) },
  );
});

test("the titles give way to numbers where they have no room", () => {
  const line = (width: number) => frame(begun({ width, height: 24 }), plainPalette)[0]!;
  for (const { title } of screens) expect(line(150)).toContain(title);
  expect(line(60)).toContain("1 Home");
  expect(line(60)).not.toContain("Ledger");
});

test("a line that is typed takes the place of what was said", () => {
  const state = told(begun(), { kind: "said", text: "written: a.yaml", tone: "good" });
  expect(frame(state, plainPalette).at(-2)).toContain("written: a.yaml");
  const asked = { ...told(state, ...keys("/", "q", "u")), notice: state.notice };
  expect(frame(asked, plainPalette).at(-2)!.trimEnd()).toBe(" filter: qu");
});

test("a screen that has nothing to show says what would change that", () => {
  for (const [i, { id }] of screens.entries()) {
    const body = frame(told(begun(), key(`${(i + 1) % 10}`)), plainPalette)
      .slice(2, -2)
      .join("\n");
    if (id !== "home") expect(body).toMatch(/Home|result|run|plan/);
  }
});

test("fields of a scenario are shown by the what-if screen once they are told", () => {
  const asked = told(ran({ width: 120, height: 40 }), key("7"));
  const told_ = told(asked, engine(ofRun(fields, asked.core.trials[0]!.id)));
  expect(frame(told_, plainPalette).join("\n")).toContain("policy.offload.slots");
});

test("the home screen looks so", () => {
  expect(shown(frame(told(ran(), key("1")), unicode))).toMatchInlineSnapshot(`
    "
    ›1 Home 2 Run 3 Experts 4 Cache 5 Links 6 Reqs 7 What-if 8 Comp 9 Ledger 10 Plan
    ────────────────────────────────────────────────────────────────────────────────
     Enter runs a scenario, or opens a plan or a result; 1 saved at the end (G)

                      name             about
    › ✗ this session  screens          FAIL 1 of 2 SLOs met | 4.585 output tok/s pe…
        scenario      mine.yaml        a scenario of mine
        scenario      quickstart.yaml  quickstart
      ✓ saved         one              2026-11-30 16:40 traffic.requests=40 PASS al…













     Enter run or open  n new from this  / filter  ? all keys  q quit
    "
  `);
});

test("the run screen looks so", () => {
  expect(shown(frame(told(ran(), key("2")), unicode))).toMatchInlineSnapshot(`
    "
    1 Home ›2 Run 3 Experts 4 Cache 5 Links 6 Reqs 7 What-if 8 Comp 9 Ledger 10 Plan
    ────────────────────────────────────────────────────────────────────────────────
    screens  test/fixtures/scenarios/screens.yaml
    FAIL 1 of 2 SLOs met | 4.585 output tok/s per device | TTFT p50 1.5 s | TPOT
    p50 542 ms | $20.60/Mtok output | expert hits 63.9% (optimum 72.8%) |
    unvalidated
    Limited by: missing experts, 95.2% of step time
    warn  ttft p(90)<100us         1.99 s      a warning only  19,859x the limit  th
    FAIL  tpot p(50)<500ms         542 ms      margin -8.5%  n = 29
    ok    expertCacheHit rate>50%  63.94%      margin 27.9%  n = 18,274

    completed   ███████████████████████████████████████████████  100.0%  30 requests
    peak of KV  ▉                                                  1.9%  0 preempted
    4.585 output tok/s

     5 s ┤▲     ▲
    0 ns ┤╌╌╌▲╌╌╌╌╌╌▲╌╌▲╌╌▲▲╌╌╌▲╌╌╌▲╌╌╌╌▲╌╌▲╌╌╌╌▲╌╌▲╌╌╌╌╌╌▲╌╌▲╌╌╌╌▲▲╌╌╌╌╌▲▲▲╌╌╌╌╌▲▲▲
         └─────┬────────────┬───────────┬───────────┬────────────┬───────────┬──────
              10 s         20 s        30 s        40 s         50 s        60 s
    ● TTFT p50  ▲ p99  ╌ p(90)<100us 100 us                           simulated time


     p pause  f freeze  x stop  a abort on miss  t TTFT / TPOT  ? all keys  q quit
    "
  `);
});
