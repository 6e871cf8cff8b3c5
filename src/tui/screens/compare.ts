import { oneLine } from "../../core/printable.ts";
import { comparedWith, compareForecasts, defaultRegressionLimits } from "../../forecast/baseline.ts";
import type { BaselineDelta, Forecast } from "../../forecast/forecast.ts";
import { drawsLabel } from "../../report/baseline-labels.ts";
import { headline } from "../../report/headline.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { fitLine, type Size } from "../../report/widgets/styled-text.ts";
import { moved, moveKeys } from "../keys/global-keys.ts";
import type { Core } from "../state/core.ts";
import { type RunRecord, settingsOf } from "../state/run-record.ts";
import { deltaTable } from "../view/delta-table.ts";
import { rememberLast } from "../view/remember-last.ts";
import { type Act, type Screen, screen } from "./screen.ts";

/** What the compare screen remembers. */
export interface CompareState {
  readonly selected: number;
  readonly from: number;
  /** The largest difference first; else in the order of the metrics. */
  readonly bySize: boolean;
  readonly swapped: boolean;
}

interface Pair {
  readonly before: RunRecord & { readonly forecast: Forecast };
  readonly after: RunRecord & { readonly forecast: Forecast };
}

const withForecast = (run: RunRecord): run is Pair["before"] => run.forecast !== null;

/** The two that are marked; else the last two that have a result. */
export function pairOf({ runs, marked }: Core, swapped: boolean): Pair | null {
  const results = runs.filter(withForecast);
  const chosen = results.filter(({ id }) => marked.includes(id));
  const [first, second] = chosen.length === 2 ? chosen : results.slice(-2);
  if (first === undefined || second === undefined) return null;
  return swapped ? { before: second, after: first } : { before: first, after: second };
}

/** Differences of two results. Those beyond their interval come first, by their size; what is the same comes last. */
export function sortedDeltas(deltas: readonly BaselineDelta[], bySize: boolean): readonly BaselineDelta[] {
  if (!bySize) return deltas;
  const size = ({ before, worseBy, halfWidth }: BaselineDelta): number => {
    if (worseBy === null) return Number.POSITIVE_INFINITY;
    const share = before === 0 ? (worseBy === 0 ? 0 : 1e9) : Math.abs(worseBy / before);
    return halfWidth !== null && Math.abs(worseBy) <= halfWidth ? share / 1e6 : share;
  };
  return deltas
    .map((delta, i) => ({ delta, i, size: size(delta) }))
    .sort((a, b) => (a.size === b.size ? a.i - b.i : b.size - a.size))
    .map(({ delta }) => delta);
}

const compared = rememberLast(compareForecasts);
const deltasOf = ({ before, after }: Pair, bySize: boolean): readonly BaselineDelta[] =>
  sortedDeltas(compared(before.forecast, after.forecast), bySize);

const headLines = 5;
const tableArea = ({ width, height }: Size): Size => ({ width, height: Math.max(2, height - headLines) });

function act(own: CompareState, action: string, core: Core, area: Size): Act<CompareState> {
  if (action === "sort") return { own: { ...own, bySize: !own.bySize } };
  if (action === "swap") return { own: { ...own, swapped: !own.swapped } };
  const pair = pairOf(core, own.swapped);
  const count = pair === null ? 0 : deltasOf(pair, own.bySize).length;
  const visible = visibleRows(count, tableArea(area).height);
  const selected = moved(own.selected, action, count, visible);
  return { own: { ...own, selected, from: tableFrom(selected, own.from, count, visible) } };
}

function view(own: CompareState, core: Core, area: Size, palette: Palette): readonly string[] {
  const pair = pairOf(core, own.swapped)!;
  const { before, after } = pair;
  const deltas = deltasOf(pair, own.bySize);
  const line = (label: string, run: Pair["before"]) => {
    const settings = settingsOf(run);
    const what = settings.length === 0 ? "" : `  ${palette.dim(oneLine(settings.join(" ")))}`;
    return fitLine(
      `${palette.bold(label)} ${oneLine(run.name)}${what}  ${headline(run.forecast)}`,
      area.width,
      palette.glyphs.ellipsis,
    ).trimEnd();
  };
  const { baselineRun } = comparedWith(before.forecast, after.forecast, defaultRegressionLimits);
  const table = tableArea(area);
  const selected = Math.min(own.selected, deltas.length - 1);
  return [
    line("before", before),
    line("now   ", after),
    palette.dim(fitLine(baselineRun === null ? "" : drawsLabel(baselineRun, after.forecast), area.width).trimEnd()),
    palette.dim("better and worse are beyond the interval of the difference; what is within it may be chance"),
    "",
    ...scrollTable(deltaTable(deltas), table, palette, {
      from: tableFrom(selected, own.from, deltas.length, visibleRows(deltas.length, table.height)),
      selected,
    }),
  ];
}

/** Two results side by side. */
export const compareScreen = screen<CompareState>({
  id: "compare",
  title: "Compare",
  short: "Comp",
  start: { selected: 0, from: 0, bySize: true, swapped: false },
  keys: [
    { action: "sort", keys: ["s"], help: "by size / in order" },
    { action: "swap", keys: ["x"], help: "swap" },
    ...moveKeys,
  ],
  missing: (core) =>
    pairOf(core, false) === null
      ? "Two results are compared: run two scenarios, or mark two on Home (1) with Space."
      : null,
  act,
  view,
} satisfies Screen<CompareState>);
