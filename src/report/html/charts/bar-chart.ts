import { shortened } from "../../shortened.ts";
import { element } from "../markup.ts";
import { type Chart, coordinate } from "./chart.ts";

/** A bar with its name above it, and what it comes to at its end. */
export interface Bar {
  readonly name: string;
  /** Share of the longest possible bar, from 0 to 1. */
  readonly share: number;
  readonly text: string;
  /** Parts of it, from the left, as shares of the same whole; absent: one part. */
  readonly parts?: readonly { readonly share: number; readonly name: string }[];
}

export interface BarChart extends Pick<Chart, "title" | "caption" | "legend" | "data"> {
  readonly bars: readonly Bar[];
}

const width = 400;
const rowHeight = 34;
const barHeight = 13;
const barMost = width - 4;

export function barChart({ bars, ...rest }: BarChart): Chart {
  return {
    ...rest,
    width,
    height: bars.length * rowHeight + 4,
    drawing: element(
      "g",
      {},
      bars.map(({ name, share, text, parts }, row) => {
        const y = row * rowHeight;
        return element(
          "g",
          {},
          element("title", {}, `${name}: ${text}`),
          element("text", { x: 2, y: y + 13 }, shortened(name, Math.max(8, lettersMax - text.length))),
          element("text", { class: "value", x: width - 2, y: y + 13, "text-anchor": "end" }, text),
          element("rect", { class: "track", x: 2, y: y + 18, width: barMost, height: barHeight }),
          drawnParts(parts ?? [{ share, name }], y + 18),
        );
      }),
    ),
  };
}

function drawnParts(parts: NonNullable<Bar["parts"]>, y: number) {
  let from = 0;
  return parts.map(({ share, name }, place) => {
    const [left, right] = [from, Math.min(1, from + Math.max(0, share))];
    from = right;
    return element(
      "rect",
      {
        class: parts.length === 1 ? "fill s0" : `fill s${place % 7}`,
        x: coordinate(2 + left * barMost),
        y,
        width: coordinate((right - left) * barMost),
        height: barHeight,
      },
      element("title", {}, name),
    );
  });
}

/** Letters of a line at this size. */
const lettersMax = 62;
