import { refuse } from "../../../core/errors.ts";
import type { RandomStream } from "../../../core/random.ts";
import { Column } from "../column.ts";
import { arrivalsOf } from "./arrivals.ts";
import type { GenerateSpec } from "./generate-spec.ts";

/** Arrivals of a spec, integer ns; all 0 for a closed loop. */
export function drawArrivals(
  spec: Pick<GenerateSpec, "arrivals" | "requests" | "durationSeconds">,
  rng: RandomStream,
): Float64Array {
  const { arrivals, requests = Number.POSITIVE_INFINITY, durationSeconds = Number.POSITIVE_INFINITY } = spec;
  if (arrivals === null) return new Float64Array(requests);
  const next = arrivalsOf(arrivals, rng);
  const column = new Column((length) => new Float64Array(length));
  while (column.length < requests) {
    const seconds = next();
    if (seconds >= durationSeconds) break;
    const atNs = Math.round(seconds * 1e9);
    if (!Number.isSafeInteger(atNs))
      refuse({ at: "arrivals", expected: "arrivals within 2^53 ns (104 days)", found: seconds });
    column.push(atNs);
  }
  if (column.length === 0 && arrivals.kind === "stages")
    refuse({ at: "arrivals.stages", expected: "stages long enough for one arrival" });
  if (column.length === 0)
    refuse({ at: "durationSeconds", expected: "long enough for one arrival", found: durationSeconds });
  return column.view().slice();
}
