import { oneLine } from "../../core/printable.ts";
import type { SloVerdict } from "../../forecast/forecast.ts";
import { basisLabel, marginLabel } from "../../report/labels.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { fitLine, styledWidth } from "../../report/widgets/styled-text.ts";
import type { RunRecord } from "../state/run-record.ts";
import { sloStand, sloTones, valueAlone } from "../view/slo-stand.ts";

/** Every SLO with what it came to and its margin; while a run goes on, on the requests that were completed so far. */
export function sloLines({ forecast, snapshot }: RunRecord, width: number, palette: Palette): string[] {
  const slos = forecast?.slos ?? snapshot?.slos ?? [];
  if (slos.length === 0) return [palette.dim("no SLOs: the scenario states none")];
  const isWhole = forecast !== null && !forecast.interrupted;
  const limits = slos.map(({ metric, expression }) => oneLine(`${metric} ${expression}`));
  const widest = Math.max(...limits.map((limit) => styledWidth(limit)));
  // The longest limit in full, as long as there is room for what it came to.
  const limitWidth = Math.min(widest, Math.max(sloLimitMin, width - sloRest));
  return slos.map((slo, i) => {
    const label = sloStand(slo, isWhole);
    const tone = sloTones[label];
    const text = `${fitLine(label, 4)}  ${fitLine(limits[i]!, limitWidth, palette.glyphs.ellipsis)}  ${fitLine(valueAlone(slo), 10)}  ${sloNote(slo)}`;
    return palette[tone](fitLine(text, width).trimEnd());
  });
}

/** Cells of a limit at least, and of all beside it: stand, value and the first words of its margin. */
const sloLimitMin = 20;
const sloRest = 34;

const sloNote = (slo: SloVerdict): string =>
  [slo.level === "warn" ? "a warning only" : "", marginLabel(slo.margin), basisLabel(slo)]
    .filter((part) => part !== "")
    .join("  ");
