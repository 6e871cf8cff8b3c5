import type { RequestTrace, TraceKind } from "../../forecast/details/request-trace.ts";
import type { WaterfallSpan } from "../../report/widgets/waterfall.ts";

/** A part of the time between two moments, ns. */
interface Part {
  readonly fromNs: number;
  readonly toNs: number;
  readonly ns: number;
}

/**
 * The spans of a row of a trace on so many cells. Waits for experts lie within the steps that they hold up, so that steps and
 * waits share their cells in proportion, evenly over each span: a row takes as much of the axis as its number says.
 */
export function traceBars(trace: RequestTrace, kind: TraceKind, cells: number, sign: number): WaterfallSpan[] {
  const { spans } = trace;
  if (kind === "stall")
    return spread(
      spans.filter(({ stallNs }) => stallNs > 0).map(({ fromNs, toNs, stallNs }) => ({ fromNs, toNs, ns: stallNs })),
      trace,
      cells,
      sign,
    );
  const own = spans.filter((span) => span.kind === kind);
  if (own.every(({ stallNs }) => stallNs === 0)) return own.map(({ fromNs, toNs }) => ({ fromNs, toNs, kind: sign }));
  const parts = own.map(({ fromNs, toNs, stallNs }) => ({ fromNs, toNs, ns: toNs - fromNs - stallNs }));
  return spread(parts, trace, cells, sign);
}

/** Less than this of a cell is what rounding leaves at the end of a span. */
const nothing = 1e-9;

/** Cells that together take as much of the axis as the parts do, where these lie; one at least. */
function spread(parts: readonly Part[], { arrivalNs, lastTokenNs }: RequestTrace, cells: number, sign: number) {
  const cellNs = (lastTokenNs - arrivalNs) / cells;
  const held = new Float64Array(cells);
  for (const { fromNs, toNs, ns } of parts) {
    const [from, to] = [(fromNs - arrivalNs) / cellNs, (toNs - arrivalNs) / cellNs];
    if (!(to > from)) continue;
    const each = ns / cellNs / (to - from);
    for (let cell = Math.floor(from); cell < Math.min(cells, to); cell++)
      held[cell]! += each * (Math.min(cell + 1, to) - Math.max(cell, from));
  }
  const drawn: WaterfallSpan[] = [];
  const draw = (cell: number) =>
    drawn.push({ fromNs: arrivalNs + cell * cellNs, toNs: arrivalNs + (cell + 1) * cellNs, kind: sign });
  // What a cell holds and does not show goes on to the next, so that the sum is right to half a cell.
  let left = 0.5;
  for (const [cell, amount] of held.entries()) {
    left += amount;
    if (amount > nothing && left >= 1) {
      draw(cell);
      left -= 1;
    }
  }
  if (drawn.length === 0 && parts.some(({ ns }) => ns > 0)) draw(held.indexOf(Math.max(...held)));
  return drawn;
}
