import { formatDuration, formatNumber, formatPercent } from "../../core/units.ts";
import { linePlot } from "../../report/widgets/line-plot.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import type { Size } from "../../report/widgets/styled-text.ts";
import type { RequestRows } from "../../sim/result.ts";
import { requestColumns } from "./request-columns.ts";
import type { RequestView, ShownRequests } from "./request-order.ts";

/** Points of the curve: more than a terminal shows. */
const points = 200;

/** A column of the requests that are shown, from the smallest value to the largest. */
export function spreadPlot(
  rows: RequestRows,
  { column, descending }: RequestView,
  { requests, known }: ShownRequests,
  size: Size,
  palette: Palette,
): string[] {
  const { header, unit, value } = requestColumns[column]!;
  const last = known - 1;
  const x = Float64Array.from(
    { length: Math.min(points, known) },
    (_, i) => i / Math.max(1, Math.min(points, known) - 1),
  );
  const y = x.map((share) => {
    const at = Math.round(share * last);
    return value(rows, requests[descending ? last - at : at]!);
  });
  return linePlot(
    {
      series: [{ name: header, x, y }],
      xLabel: "share of these requests with no more",
      yLabel: `${header} of the requests in the table`,
      formatX: (share) => formatPercent(share, 0),
      formatY: (figure) => (unit === "duration" ? formatDuration(figure) : formatNumber(figure)),
    },
    size,
    palette,
  );
}
