import { formatNumber } from "../../core/units.ts";
import { type ScatterPoint, scatterChart } from "./charts/scatter-chart.ts";
import { figure } from "./figure.ts";
import { type Child, element } from "./markup.ts";
import { type HtmlColumn, htmlTable } from "./table.ts";

/** Deployments beside each other: each a row of a table, and a point where it has both figures. */
export interface Choice {
  readonly id: string;
  readonly name: string;
  /** Output tokens/s of a user at the median, and of a device; null where there is none. */
  readonly perUser: number | null;
  readonly perDevice: number | null;
  readonly series: string;
  readonly tone?: string;
  readonly cells: readonly string[];
  /** What its cells are sorted by, where it is not their text. */
  readonly values: readonly (number | null)[];
}

export interface ChoiceTable {
  readonly name: string;
  readonly columns: readonly HtmlColumn[];
  readonly choices: readonly Choice[];
  /** What the points are, in a sentence. */
  readonly caption: string;
}

/** Throughput against interactivity with the frontier, and the table that a point leads to. */
export function choicesContent({ name, columns, choices, caption }: ChoiceTable): Child {
  const points = choices.flatMap(({ id, name: of, perUser, perDevice, series }): Omit<ScatterPoint, "best">[] =>
    perUser === null || perDevice === null ? [] : [{ x: perUser, y: perDevice, name: of, row: id, series }],
  );
  const rows = choices.map(({ id, cells, values, tone }) => ({
    id,
    cells,
    values,
    ...(tone === undefined ? {} : { tone }),
  }));
  return [
    points.length < 2
      ? null
      : element(
          "div",
          { class: "charts" },
          figure(
            scatterChart({
              title: "Throughput against interactivity",
              caption: `${caption} No other point is better in both than one of the line. A point leads to its row.`,
              x: { label: "output tokens/s of a user", kind: "linear", format: (value) => formatNumber(value) },
              y: { label: "output tokens/s of a device", kind: "linear", format: (value) => formatNumber(value) },
              points: points.map((point) => ({ ...point, best: !points.some((other) => beats(other, point)) })),
            }),
          ),
        ),
    htmlTable(name, columns, rows, true),
  ];
}

type Place = Pick<ScatterPoint, "x" | "y">;
const beats = (a: Place, b: Place): boolean => a.x >= b.x && a.y >= b.y && (a.x > b.x || a.y > b.y);
