import { oneLine } from "../../core/printable.ts";
import { formatCount, formatDuration, formatNumber, formatPercent } from "../../core/units.ts";
import type { SloVerdict } from "../../forecast/forecast.ts";
import type { LatencySeries } from "../../forecast/live/latency-series.ts";
import { bars } from "../../report/widgets/bar-line.ts";
import { linePlot } from "../../report/widgets/line-plot.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { beside, fitLine, type Size, styledWidth } from "../../report/widgets/styled-text.ts";
import { parseExpression, parseTarget } from "../../scenario/slo-expression.ts";
import { type Core, currentRun, type Intent } from "../state/core.ts";
import { isOpen, type RunRecord, settingsOf } from "../state/run-record.ts";
import { isWide } from "../view/layout.ts";
import { headLines } from "./run-head.ts";
import { sloLines } from "./run-slos.ts";
import { busiestLink, stepLines } from "./run-steps.ts";
import { type Act, type Screen, screen } from "./screen.ts";

/** What the run screen remembers: nothing yet that a run does not say. */
export interface RunState {
  readonly latency: "ttft" | "tpot";
}

function act(own: RunState, action: string, core: Core): Act<RunState> {
  const run = currentRun(core);
  const say = (text: string): Act<RunState> => ({ intents: [{ kind: "say", text, tone: "warn" }] });
  switch (action) {
    case "latency":
      return { own: { ...own, latency: own.latency === "ttft" ? "tpot" : "ttft" } };
    case "abort":
      return {
        intents: [
          { kind: "abortOnFail", on: !core.abortOnFail },
          {
            kind: "say",
            text: core.abortOnFail ? "runs go on after a missed SLO" : "runs end at the first SLO missed beyond chance",
          },
        ],
      };
    case "again":
      if (run === null) return say("there is no run yet");
      // A saved result names its scenario, which may have changed since, and what was laid over it.
      if (run.request === null) return { intents: [{ kind: "startFile", file: run.file, settings: settingsOf(run) }] };
      return { intents: [{ kind: "start", name: run.name, request: run.request }] };
    default:
  }
  if (run === null || !isOpen(run)) return say("the run has ended");
  const intents: Intent[] = [];
  if (action === "pause") intents.push({ kind: "pause", paused: run.stand !== "paused" });
  if (action === "freeze") intents.push({ kind: "freeze", frozen: !core.frozen });
  if (action === "stop") intents.push({ kind: "engine", order: { kind: "stop", id: run.id } });
  return { intents };
}

function view(own: RunState, core: Core, area: Size, palette: Palette): readonly string[] {
  const run = currentRun(core)!;
  const { width, height } = area;
  const head = headLines(run, core, width, palette);
  if (run.snapshot === null && run.forecast === null) return head;
  const slos = sloLines(run, width, palette);
  const left = stateLines(run, palette, isWide(area) ? Math.floor(width * 0.42) : width);
  const room = height - head.length - slos.length - 2;
  const plot = (size: Size) => latencyPlot(own, run, size, palette);
  if (isWide(area)) {
    const leftWidth = Math.floor(width * 0.42);
    const steps = stepLines(run, { width: leftWidth, height: room - left.length - 1 }, palette);
    const column = [...left, "", ...steps].slice(0, Math.max(0, room));
    const right = plot({ width: width - leftWidth - 3, height: Math.max(0, room) });
    return [...head, "", ...beside(column, right, leftWidth, 3), "", ...slos];
  }
  const plotHeight = Math.max(0, Math.min(10, room - left.length - 1));
  const plotted = plotHeight >= 5 ? ["", ...plot({ width, height: plotHeight })] : [];
  const below = room - left.length - plotted.length;
  const steps = below < stepsMin ? [] : ["", ...stepLines(run, { width, height: below }, palette)];
  return [...head, ...slos, "", ...left, ...plotted, ...steps];
}

/** Fewer lines below the plot than these, with a free one, show no parts of the time of steps. */
const stepsMin = 5;

/** Cells of a line of bars with everything but its text. */
const besideTexts = 34;

/** Queues, tokens, memory and caches, as bars with numbers. */
function stateLines({ snapshot, rates, forecast }: RunRecord, palette: Palette, width: number): string[] {
  if (forecast !== null) return resultLines(forecast, palette, width);
  if (snapshot === null) return [];
  const { requests, kvUse, cache } = snapshot;
  const inSystem = requests.waiting + requests.running;
  const link = busiestLink(snapshot);
  const linkName = link === null ? "" : oneLine(link.name);
  // Names of links are long: beside short bars one would take the texts of all others away.
  const named = styledWidth(linkName) <= width - besideTexts;
  const rows = [
    {
      label: "running",
      share: inSystem === 0 ? 0 : requests.running / inSystem,
      text: `${formatCount(requests.running)} requests`,
    },
    {
      label: "waiting",
      share: inSystem === 0 ? 0 : requests.waiting / inSystem,
      text: `${formatCount(requests.waiting)} requests`,
      ...(requests.waiting > requests.running ? { tone: "warn" as const } : {}),
    },
    {
      label: "KV blocks",
      share: kvUse,
      text: `${formatCount(snapshot.preemptions)} preempted`,
      ...(kvUse > 0.95 ? { tone: "warn" as const } : {}),
    },
    ...(cache === null
      ? []
      : [
          {
            label: "expert hits",
            share: cache.accesses === 0 ? Number.NaN : cache.hits / cache.accesses,
            text: rates?.hitRate == null ? "" : `now ${formatPercent(rates.hitRate)}`,
          },
        ]),
    ...(link === null ? [] : [{ label: "busiest link", share: link.share, text: named ? linkName : "" }]),
  ];
  const tokens =
    rates === null
      ? ""
      : `${formatNumber(rates.outputTokensPerSecond, 4)} output tok/s, ${formatNumber(rates.requestsPerSecond, 3)} requests/s now`;
  const busiest = link === null || named ? [] : [`busiest link: ${linkName}`];
  const lines = [...busiest, tokens].map((line) => fitLine(line, width, palette.glyphs.ellipsis).trimEnd());
  return [...bars(rows, width, palette), ...lines.map((line) => palette.dim(line))];
}

/** Of a result that was saved. */
function resultLines(
  { throughput, kv, requests }: NonNullable<RunRecord["forecast"]>,
  palette: Palette,
  width: number,
): string[] {
  return [
    ...bars(
      [
        {
          label: "completed",
          share: requests.completed / requests.total,
          text: `${formatCount(requests.completed)} requests`,
        },
        { label: "peak of KV", share: kv.peakShare, text: `${formatCount(kv.preemptions)} preempted` },
      ],
      width,
      palette,
    ),
    palette.dim(`${formatNumber(throughput.outputTokensPerSecond, 4)} output tok/s`),
  ];
}

const names = { ttft: "TTFT", tpot: "TPOT" } as const;

/** Percentiles by the time at which requests were completed, with the limit of an SLO on them. */
function latencyPlot({ latency }: RunState, { snapshot, forecast }: RunRecord, size: Size, palette: Palette): string[] {
  if (snapshot === null) return [palette.dim("run it again (r) to see its course: a saved result keeps figures alone")];
  const series: LatencySeries = snapshot.series[latency];
  const x = Float64Array.from(series.p50, (_, i) => ((i + 0.5) * series.intervalNs) / 1e9);
  const ms = (values: Float64Array) => values.map((ns) => ns / 1e6);
  const slo = (forecast?.slos ?? snapshot.slos).find(({ metric }) => metric.split("{")[0] === latency);
  const limitMs = slo === undefined ? null : limitOf(slo);
  return linePlot(
    {
      series: [
        { name: `${names[latency]} p50`, x, y: ms(series.p50) },
        { name: "p99", x, y: ms(series.p99) },
      ],
      ...(limitMs === null ? {} : { limit: { value: limitMs, name: slo!.expression } }),
      xLabel: "simulated time",
      yLabel: `${names[latency]} of requests by the time of their completion`,
      formatX: (seconds) => formatDuration(seconds * 1e9),
      formatY: (value) => formatDuration(value * 1e6),
    },
    size,
    palette,
  );
}

/** The limit of an SLO on a latency, ms; null for an expression of an earlier release that is none any more. */
function limitOf({ metric, expression }: SloVerdict): number | null {
  const target = parseTarget(metric);
  if ("error" in target) return null;
  const parsed = parseExpression(expression, target.ok.metric);
  return "error" in parsed ? null : parsed.ok.limit / 1e6;
}

/** A run while it goes on, and how it came out. */
export const runScreen = screen<RunState>({
  id: "run",
  title: "Run",
  start: { latency: "ttft" },
  keys: [
    { action: "pause", keys: ["p"], help: "pause" },
    { action: "freeze", keys: ["f"], help: "freeze" },
    { action: "stop", keys: ["x"], help: "stop" },
    { action: "abort", keys: ["a"], help: "abort on miss" },
    { action: "latency", keys: ["t"], help: "TTFT / TPOT" },
    { action: "again", keys: ["r"], help: "run again" },
  ],
  words: [
    ["TTFT", "time to first token: from the arrival of a request to its first output token, queueing included"],
    ["TPOT", "time per output token of a request, its first one left out"],
    ["missing experts", "time that steps wait for experts that are not in device memory"],
    ["head", "the last layer, which scores every word of the vocabulary"],
    ["open, wait", "an SLO that holds so far on too few samples to be sure, and one that has none yet"],
    ["SLO", "a limit that the scenario sets to a metric; margin: how far from it, as a share of it"],
    ["p50, p99", "half, and 99 of 100 requests, are no slower"],
    ["KV blocks", "memory for the keys and values of tokens; preempted: requests that had to give theirs back"],
    ["OVERLOADED", "requests arrive faster than they are served, so that queues grow as long as they arrive"],
    ["unvalidated", "nothing near this deployment was measured, so that its band is wide: Ledger (9) says more"],
  ],
  missing: (core) => (currentRun(core) === null ? "No run yet: choose a scenario on Home (1) and press Enter." : null),
  act,
  view,
} satisfies Screen<RunState>);
