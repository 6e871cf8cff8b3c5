import { oneLine } from "../../core/printable.ts";
import { compareForecasts } from "../../forecast/baseline.ts";
import { type ChangeVerdict, changeVerdicts, verdictOfChange } from "../../forecast/compare/change-verdict.ts";
import type { BaselineDelta, Forecast } from "../../forecast/forecast.ts";
import { headline } from "../../report/headline.ts";
import { wrap } from "../../report/text-table.ts";
import { type Palette, plainPalette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { fitLine, type Size } from "../../report/widgets/styled-text.ts";
import { moved, moveKeys } from "../keys/global-keys.ts";
import type { Core } from "../state/core.ts";
import { type RunRecord, settingsOf } from "../state/run-record.ts";
import { deltaTable } from "../view/delta-table.ts";
import { rememberLast } from "../view/remember-last.ts";
import { drawsWords } from "./compare-words.ts";
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

/** What puts a verdict behind another, whatever their sizes. */
const weights = {
  missing: 1,
  better: 1,
  worse: 1,
  unknown: 1e-3,
  noise: 1e-6,
  same: 1e-12,
} as const satisfies Record<ChangeVerdict, number>;

/** Differences of two results. Those beyond their interval come first, by their size; what is the same comes last. */
export function sortedDeltas(deltas: readonly BaselineDelta[], bySize: boolean): readonly BaselineDelta[] {
  if (!bySize) return deltas;
  const size = (delta: BaselineDelta): number => {
    const { before, worseBy } = delta;
    if (worseBy === null) return Number.POSITIVE_INFINITY;
    const share = before === 0 ? (worseBy === 0 ? 0 : 1e9) : Math.abs(worseBy / before);
    const verdict = verdictOfChange(delta);
    return share * weights[verdict];
  };
  return deltas
    .map((delta, i) => ({ delta, i, size: size(delta) }))
    .sort((a, b) => (a.size === b.size ? a.i - b.i : b.size - a.size))
    .map(({ delta }) => delta);
}

const compared = rememberLast(compareForecasts);
const drawn = rememberLast(drawsWords);
const deltasOf = ({ before, after }: Pair, bySize: boolean): readonly BaselineDelta[] =>
  sortedDeltas(compared(before.forecast, after.forecast), bySize);

/** What stands above the table, whose room it takes. */
function headOf({ before, after }: Pair, width: number, palette: Palette): string[] {
  const line = (label: string, run: Pair["before"]) => {
    const settings = settingsOf(run);
    const what = settings.length === 0 ? "" : `  ${palette.dim(oneLine(settings.join(" ")))}`;
    return fitLine(
      `${palette.bold(label)} ${oneLine(run.name)}${what}  ${headline(run.forecast)}`,
      width,
      palette.glyphs.ellipsis,
    ).trimEnd();
  };
  const notes = [drawn(before.forecast, after.forecast), standWords].flatMap((text) => wrap(text, width));
  return [line("before", before), line("now   ", after), ...notes.map((text) => palette.dim(text)), ""];
}

const standWords = "better, worse: beyond the interval (+-); noise: within it; unknown: it has none";

const tableArea = ({ width, height }: Size, above: number): Size => ({ width, height: Math.max(2, height - above) });

function act(own: CompareState, action: string, core: Core, area: Size): Act<CompareState> {
  if (action === "sort") return { own: { ...own, bySize: !own.bySize } };
  if (action === "swap") return { own: { ...own, swapped: !own.swapped } };
  const pair = pairOf(core, own.swapped);
  const count = pair === null ? 0 : deltasOf(pair, own.bySize).length;
  const above = pair === null ? 0 : headOf(pair, area.width, plainPalette).length;
  const visible = visibleRows(count, tableArea(area, above).height);
  const selected = moved(own.selected, action, count, visible);
  return { own: { ...own, selected, from: tableFrom(selected, own.from, count, visible) } };
}

function view(own: CompareState, core: Core, area: Size, palette: Palette): readonly string[] {
  const pair = pairOf(core, own.swapped)!;
  const deltas = deltasOf(pair, own.bySize);
  const head = headOf(pair, area.width, palette);
  const table = tableArea(area, head.length);
  const selected = Math.min(own.selected, deltas.length - 1);
  return [
    ...head,
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
  words: [
    ["better, worse", "by more than the interval of the difference (+-, at 99 %)"],
    ["noise", changeVerdicts.noise],
    ["unknown", changeVerdicts.unknown],
    ["same", changeVerdicts.same],
    ["missing", changeVerdicts.missing],
    ["points", "the difference of two percentages: from 80 % to 90 % are 10 points"],
  ],
  missing: (core) =>
    pairOf(core, false) === null
      ? "Two results are compared: run two scenarios, or mark two on Home (1) with Space."
      : null,
  act,
  view,
} satisfies Screen<CompareState>);
