import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reportsOf, requestOf } from "../scripts/example-run.ts";
import { makePalette } from "../src/report/widgets/palette.ts";
import type { Size } from "../src/report/widgets/styled-text.ts";
import { Engine } from "../src/tui/engine/engine.ts";
import type { EngineReport } from "../src/tui/engine/messages.ts";
import { emptyLibrary } from "../src/tui/library/library.ts";
import { screens } from "../src/tui/screens/screens.ts";
import { sampleOf, sampleSettings } from "../src/tui/screens/what-if-sample.ts";
import { type AppState, firstState } from "../src/tui/state/app-state.ts";
import type { Event } from "../src/tui/state/events.ts";
import { reduce } from "../src/tui/state/reducer.ts";
import type { RunRecord } from "../src/tui/state/run-record.ts";
import { changes } from "../src/tui/terminal/painter.ts";
import { frame } from "../src/tui/view/frame.ts";
import type { BenchRow } from "./bench.ts";

const palette = makePalette({ depth: "256", unicode: true });
const sizes: readonly Size[] = [
  { width: 80, height: 24 },
  { width: 120, height: 40 },
  { width: 200, height: 60 },
];
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/**
 * The terminal UI: CPU time of a frame and bytes that a key writes, by screen and size; a run that is shown beside one that is not;
 * answers of what-if; from the start of the process to the first frame.
 */
export async function bench(): Promise<BenchRow[]> {
  const heat = await frames("scenarios/large-ep-decode.yaml", ["traffic.promptsPerGroup=2304"], ["experts"]);
  const rest = await frames(
    "scenarios/offload-4090.yaml",
    ["traffic.requests=20"],
    screens.map(({ id }) => id),
  );
  return [...heat, ...rest, ...(await live()), ...(await answers()), ...(await firstFrames())];
}

/** Frames after each of many moves of the selection. */
async function frames(file: string, settings: readonly string[], ids: readonly string[]): Promise<BenchRow[]> {
  const request = requestOf(file, settings);
  const reports = await reportsOf(1, request, 4096);
  const rows: BenchRow[] = [];
  for (const size of sizes) {
    let state = firstState(size, emptyLibrary, new Map());
    const tell = (event: Event) => {
      state = reduce(state, event).state;
    };
    tell({ kind: "intents", intents: [{ kind: "start", name: file, request }] });
    for (const report of [reports[0]!, reports.at(-1)!]) tell({ kind: "engine", report });
    for (const id of ids) {
      tell({ kind: "intents", intents: [{ kind: "open", screen: id }] });
      const { cpuMs, bytes } = moving(() => state, tell);
      const name = `${id} of ${file.replace(/^.*\/|\.yaml$/g, "")} at ${size.width}x${size.height}`;
      rows.push(
        { name: `${name}: CPU of a frame`, value: cpuMs, unit: "ms" },
        { name: `${name}: written`, value: bytes, unit: "B a key" },
      );
    }
  }
  return rows;
}

function moving(stateNow: () => AppState, tell: (event: Event) => void): { cpuMs: number; bytes: number } {
  const count = 100;
  let last = frame(stateNow(), palette);
  let bytes = 0;
  const before = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    tell({ kind: "key", key: i % 4 < 2 ? "down" : "up" });
    const next = frame(stateNow(), palette);
    bytes += Buffer.byteLength(changes(last, next));
    last = next;
  }
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1000 / count, bytes: bytes / count };
}

type Finished = Extract<EngineReport, { kind: "finished" }>;

/** A thread whose runs end one after the other. */
class Runs {
  private readonly ended = new Map<number, (report: Finished) => void>();
  private next = 1;
  readonly engine: Engine;

  constructor(heard: (report: EngineReport) => void = () => {}) {
    this.engine = new Engine((report) => {
      heard(report);
      if (report.kind === "failed") throw new Error(report.message);
      if (report.kind === "finished") this.ended.get(report.id)!(report);
    });
  }

  run(file: string, settings: readonly string[], live: boolean): Promise<Finished> {
    const id = this.next++;
    const done = new Promise<Finished>((resolve) => this.ended.set(id, resolve));
    this.engine.tell({ kind: "run", id, request: requestOf(file, settings), live });
    return done;
  }
}

const pairs = 11;

/** The same run, drawn as it goes on, and not followed at all, in turn. */
async function live(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const [file, settings] of [
    ["scenarios/workload-w.yaml", ["traffic.requests=5000"]],
    ["scenarios/quickstart.yaml", ["traffic.requests=500"]],
  ] as const) {
    const size = sizes[1]!;
    let state = firstState(size, emptyLibrary, new Map());
    let last: readonly string[] = [];
    const tell = (event: Event) => {
      state = reduce(state, event).state;
      const next = frame(state, palette);
      changes(last, next);
      last = next;
    };
    const runs = new Runs((report) => tell({ kind: "engine", report: { ...report, id: 1 } }));
    tell({
      kind: "intents",
      intents: [
        { kind: "start", name: file, request: requestOf(file, settings) },
        { kind: "open", screen: "run" },
      ],
    });
    await runs.run(file, settings, true);
    const took = { shown: [] as number[], alone: [] as number[] };
    for (let i = 0; i < pairs; i++)
      for (const how of i % 2 === 0 ? (["shown", "alone"] as const) : (["alone", "shown"] as const))
        took[how].push((await runs.run(file, settings, how === "shown")).wallMs);
    await runs.engine.close();
    rows.push({ name: `${file} ${settings.join(" ")}: alone`, value: median(took.alone), unit: "ms" });
    rows.push({
      name: `${file} ${settings.join(" ")}: shown`,
      value: median(took.shown),
      unit: "ms",
      ratio: median(took.shown) / median(took.alone),
      ratioTo: "alone",
    });
  }
  return rows;
}

/** Questions about a run that was just made, on the sample that the screen would take. */
async function answers(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const file of ["scenarios/quickstart.yaml", "scenarios/workload-w.yaml"]) {
    const runs = new Runs();
    const { forecast, wallMs, leastSample } = await runs.run(file, [], true);
    const sample = sampleOf({ forecast, snapshot: null, wallMs, leastSample } as RunRecord)!;
    await runs.run(file, sampleSettings(sample), false);
    const took: number[] = [];
    for (let i = 0; i < pairs; i++) {
      const beganMs = performance.now();
      await runs.run(file, [...sampleSettings(sample), `warmup=${3 + i}`], false);
      took.push(performance.now() - beganMs);
    }
    await runs.engine.close();
    rows.push({
      name: `what-if of ${file}, ${sample.requests} of ${sample.of} requests`,
      value: median(took),
      unit: "ms",
    });
  }
  return rows;
}

/** From the start of the process to the list of scenarios, in a terminal that script(1) makes. */
async function firstFrames(): Promise<BenchRow[]> {
  const results = mkdtempSync(join(tmpdir(), "moecast-bench-"));
  const took: number[] = [];
  execFileSync(process.execPath, ["scripts/build.mjs", "--if-stale"]);
  for (let i = 0; i < 10; i++) {
    const beganMs = performance.now();
    const command = `stty rows 40 cols 120; exec node dist/cli/main.js tui --results ${results}`;
    const env = { ...process.env, TERM: "xterm-256color", LANG: "C.UTF-8", CI: "" };
    const terminal = spawn("script", ["-qfec", command, "/dev/null"], { env });
    let text = "";
    let shown = false;
    terminal.stdout.on("data", (part: Buffer) => {
      text += part.toString();
      if (shown || !text.includes("quickstart.yaml")) return;
      shown = true;
      took.push(performance.now() - beganMs);
      setTimeout(() => terminal.stdin.write("q"), 1000);
    });
    await new Promise((resolve) => terminal.once("exit", resolve));
  }
  rmSync(results, { recursive: true });
  return [{ name: "first frame, the process included: median of ten", value: median(took), unit: "ms" }];
}
