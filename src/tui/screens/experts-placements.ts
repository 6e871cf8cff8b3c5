import { oneLine } from "../../core/printable.ts";
import { formatCount } from "../../core/units.ts";
import type { ExpertDetails } from "../../forecast/details/expert-details.ts";
import { wrap } from "../../report/text-table.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import type { Size } from "../../report/widgets/styled-text.ts";
import type { ExpertPool } from "./experts-pool.ts";

const words: Readonly<Record<string, string>> = {
  contiguous: "experts in order",
  lpt: "fitted to this run, no copies",
  eplb: "fitted to this run, with copies",
};

const ratio = (value: number): string => `${value.toFixed(3)}x`;

/** Placements beside each other: in all, then by layer. */
export function placementLines(
  { details, placement, soFar }: ExpertPool & { readonly details: ExpertDetails },
  { width, height }: Size,
  palette: Palette,
  at: { readonly row: number; readonly from: number },
): string[] {
  const { placements, layers, placedAnew } = details;
  if (soFar !== null && details.ranks > 1)
    return wrap(`In use: ${oneLine(placement)}. Others are made and compared when the run has ended.`, width).map(
      (line) => palette.dim(line),
    );
  if (placements.length === 0) return [palette.dim("one rank holds all experts: there is nothing to place")];
  const about = [
    "Heaviest over mean rank, of the tokens of this very run in all; copies of an expert share them equally. Those fitted to the run show how even it could have been at best; single steps are less even.",
    ...(placedAnew ? ["Experts were placed anew during the run: in use is what it began with."] : []),
  ].flatMap((text) => wrap(text, width));
  const summary = scrollTable(
    {
      columns: [
        { header: "placement" },
        { header: "mean of layers", align: "right" },
        { header: "worst layer", align: "right" },
        { header: "places a layer", align: "right", dispensable: 2 },
        { header: "what it is", dispensable: 1, min: 20 },
      ],
      rows: placements.length,
      cell: (row, column) => {
        const placed = placements[row]!;
        const worst = placed.ratio.reduce((most, value, layer) => (value > placed.ratio[most]! ? layer : most), 0);
        return [
          placed.name,
          ratio(placed.ratio.reduce((sum, value) => sum + value, 0) / layers),
          `${ratio(placed.ratio[worst]!)} (L${worst})`,
          formatCount(placed.copies),
          words[placed.name] ?? oneLine(placement),
        ][column]!;
      },
    },
    { width, height: Math.min(placements.length + 1, height) },
    palette,
    { from: 0 },
  );
  const head = [...summary, ...about.map((line) => palette.dim(line)), ""];
  const room = Math.max(0, height - head.length);
  const table = scrollTable(
    {
      columns: [
        { header: "layer", min: 5 },
        ...placements.map((placed) => ({ header: placed.name, align: "right" as const })),
      ],
      rows: layers,
      cell: (row, column) => (column === 0 ? `L${row}` : ratio(placements[column - 1]!.ratio[row]!)),
    },
    { width, height: room },
    palette,
    { selected: at.row, from: tableFrom(at.row, at.from, layers, visibleRows(layers, room)) },
  );
  return [...head, ...table];
}
