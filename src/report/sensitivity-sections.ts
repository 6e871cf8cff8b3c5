import { formatCount, formatNumber, formatPercent } from "../core/units.ts";
import {
  type Sensitivity,
  type SensitivityFigures,
  type SensitivityMetric,
  sensitivityMetrics,
} from "../forecast/sensitivity/sensitivity.ts";
import { milliseconds } from "./labels.ts";
import type { PageSection } from "./page.ts";

/** A change of so little rounds to nothing: its input is named below the table. */
const shownFrom = 0.0005;

/** Figures that have a column, in order; the one that inputs are ordered by stands first. */
const sensitivityColumns = ({ base, by }: Sensitivity): readonly SensitivityMetric[] => [
  by,
  ...(Object.keys(sensitivityMetrics) as SensitivityMetric[]).filter((name) => name !== by && base[name] !== null),
];

/** A figure of the base run. */
const figureOf = (name: SensitivityMetric, value: number | null): string =>
  name === "ttftP50" || name === "ttftP99" || name === "tpotMean"
    ? milliseconds(value)
    : value === null
      ? "n/a"
      : formatNumber(value, 4);

/** `-3.1% / +2.9%`: at the low and at the high end of the input. */
function changes(
  name: SensitivityMetric,
  base: SensitivityFigures,
  low: SensitivityFigures | null,
  high: SensitivityFigures | null,
): string {
  const of = (end: SensitivityFigures | null): string => {
    const [was, is] = [base[name], end?.[name] ?? null];
    if (was === null || is === null || was === 0) return "n/a";
    const share = (is - was) / was;
    const text = formatPercent(Math.abs(share));
    return `${text === "0.0%" ? "" : share > 0 ? "+" : "-"}${text}`;
  };
  return `${of(low)} / ${of(high)}`;
}

/** Which inputs move the result most, as parts of a page. */
export function sensitivitySections(sensitivity: Sensitivity): PageSection[] {
  const { spread, requests, of, base, inputs, by } = sensitivity;
  const names = sensitivityColumns(sensitivity);
  const moving = inputs.filter(({ effect }) => Object.values(effect).some((share) => (share ?? 0) >= shownFrom));
  const still = inputs.filter((one) => !moving.includes(one));
  const part = `${formatPercent(spread, 0)}`;
  const runs = requests === of ? "" : `, over the first ${formatCount(requests)} of ${formatCount(of)} requests`;
  return [
    {
      kind: "table",
      title: "Which inputs move the result most",
      note: `each ${part} lower / ${part} higher, by ${sensitivityMetrics[by].label}${runs}`,
      columns: [
        { header: "input" },
        ...names.map((name, i) => ({
          header: sensitivityMetrics[name].label,
          align: "right" as const,
          ...(i === 0 ? {} : { dispensable: names.length - i }),
        })),
      ],
      rows: [
        { cells: ["as it is", ...names.map((name) => figureOf(name, base[name]))], tone: "good" },
        ...moving.map(({ label, low, high }) => [label, ...names.map((name) => changes(name, base, low, high))]),
      ],
      after:
        still.length === 0
          ? []
          : [{ text: `Without effect: ${still.map(({ label }) => label).join(", ")}.`, quiet: true }],
    },
  ];
}
