import { formatNumber, formatPercent } from "../../../core/units.ts";
import {
  type Sensitivity,
  type SensitivityFigures,
  type SensitivityMetric,
  sensitivityMetrics,
} from "../../../forecast/sensitivity/sensitivity.ts";
import { milliseconds } from "../../labels.ts";
import type { Chart } from "../charts/chart.ts";
import { rangeChart } from "../charts/range-chart.ts";

const shownMax = 12;

/** How far each input moves the figure that they are ordered by, the furthest first. */
export function sensitivityCharts({ base, inputs, by, spread }: Sensitivity): Chart[] {
  const was = base[by];
  if (was === null) return [];
  const { label } = sensitivityMetrics[by];
  const part = formatPercent(spread, 0);
  const moving = inputs.filter(({ effect }) => (effect[by] ?? 0) >= 0.001).slice(0, shownMax);
  if (moving.length === 0) return [];
  const end = (of: SensitivityFigures | null, side: string) => {
    const value = of?.[by] ?? was;
    return { value, text: `${part} ${side}: ${figureOf(by, value)}` };
  };
  return [
    rangeChart({
      title: `What moves ${label}`,
      caption: `${label} is ${figureOf(by, was)}; each input ${part} lower and ${part} higher, one at a time, on the same draws.`,
      base: was,
      rows: moving.map(({ label: name, low, high }) => ({ name, low: end(low, "lower"), high: end(high, "higher") })),
      axis: { label, format: (value) => figureOf(by, value) },
      legend: [
        { name: `${part} lower`, colour: "s0" },
        { name: `${part} higher`, colour: "s1" },
      ],
      // The table of the section has them.
      data: { columns: [], rows: [] },
    }),
  ];
}

const figureOf = (by: SensitivityMetric, value: number): string =>
  by === "ttftP50" || by === "ttftP99" || by === "tpotMean" ? milliseconds(value) : formatNumber(value);
