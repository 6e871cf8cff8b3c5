import { formatDuration, formatNumber } from "../../core/units.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import type { LedgerEntry } from "../../sim/result.ts";
import { factorsOf } from "./observed-factors.ts";
import type { ObservedFit } from "./observed-fit.ts";
import type { ObservedLoad } from "./observed-loads.ts";

/** Loads that the ledger tells one by one. */
const toldMax = 3;
/** Deployments of one engine differ by less than this factor: three standard deviations of what may differ. */
const strangeFactor = 2;

/** What the ledger says of an adjusted deployment: loads before and after, by how much it was moved, what to expect of others. */
export function observedLedger(
  base: EngineProfile,
  loads: readonly ObservedLoad[],
  fit: ObservedFit,
  file: string,
): LedgerEntry[] {
  const { before, left } = fit;
  const told = loads.slice(0, toldMax).map((load, i) => `${load.name}: ${latenciesText(load, fit, i)}`);
  const more = loads.length > toldMax ? [`and ${loads.length - toldMax} more`] : [];
  const strange = loads.some(({ tpotMs }, i) => {
    const factor = tpotMs / (before[i]?.tpotMs ?? tpotMs);
    return factor > strangeFactor || factor < 1 / strangeFactor;
  });
  const doubt = strange ? "; deployments of one engine differ less: does the scenario describe this one?" : "";
  const count = `${loads.length} measured ${loads.length === 1 ? "load" : "loads"} of ${file}`;
  const first: LedgerEntry = {
    topic: "observed",
    fidelity: "fitted",
    detail: `engine adjusted to ${count} (${[...told, ...more].join("; ")}): ${movesText(base, fit)}${doubt}`,
  };
  if (left === null) return [first];
  const { fromOthersPercent, fromOnePercent } = left;
  const ways = [
    ...(loads.length > 2 ? [`from all others ${fromOthersPercent.toFixed(1)} %`] : []),
    `from one other ${fromOnePercent.toFixed(1)} %`,
  ];
  return [
    first,
    {
      topic: "observed, error",
      fidelity: "fitted",
      detail: `mean absolute TPOT error of a load forecast ${ways.join(", ")}`,
    },
  ];
}

function latenciesText({ tpotMs, ttftMs }: ObservedLoad, { before, after }: ObservedFit, i: number): string {
  const told = (name: string, figure: "tpotMs" | "ttftMs", measuredMs: number) => {
    const [from, to] = [before, after].map((shown) => formatNumber(shown[i]?.[figure] ?? Number.NaN));
    return `${name} ${from} -> ${to} ms, measured ${formatNumber(measuredMs)}`;
  };
  return [told("TPOT", "tpotMs", tpotMs), ...(ttftMs === null ? [] : [told("TTFT", "ttftMs", ttftMs)])].join(", ");
}

/** By how much groups of figures were moved. */
function movesText(base: EngineProfile, fit: ObservedFit): string {
  const moved = factorsOf(base, fit).map(([what, factor]) => `${what} x ${factor.toFixed(2)}`);
  const [from, to] = [base, fit.engine].map(({ requestOverheadNs }) => formatDuration(requestOverheadNs));
  const handling = from === to ? [] : [`handling of a request ${from} -> ${to}`];
  return [...moved, ...handling].join(", ");
}
