import { formatCount } from "../../core/units.ts";
import type { LiveSnapshot } from "../../forecast/live/live-run.ts";
import { componentLabel } from "../../report/labels.ts";
import { bars } from "../../report/widgets/bar-line.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import type { Size } from "../../report/widgets/styled-text.ts";
import type { RunRecord } from "../state/run-record.ts";

/** Steps, and where their time goes: as many parts as there is room for, and the rest as one, so that shares add up to all. */
export function stepLines({ snapshot, forecast }: RunRecord, { width, height }: Size, palette: Palette): string[] {
  const time = forecast?.timeShare ?? snapshot?.time;
  if (time === undefined || height < 2) return [];
  const total = Object.values(time).reduce((sum, ns) => sum + ns, 0);
  if (!(total > 0)) return [];
  const parts = (Object.entries(time) as [keyof typeof time, number][])
    .filter(([, ns]) => ns > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([name, ns]) => ({ label: componentLabel(name), share: ns / total, text: "" }));
  const room = height - 1;
  const shown = parts.slice(0, parts.length <= room ? room : room - 1);
  const others = parts.slice(shown.length);
  const rest = others.reduce((sum, { share }) => sum + share, 0);
  const rows = others.length === 0 ? shown : [...shown, { label: `${others.length} others`, share: rest, text: "" }];
  const steps = snapshot === null ? "of all steps" : `of ${formatCount(snapshot.steps)} steps`;
  return [palette.bold(`Time ${steps}`), ...bars(rows, width, palette)];
}

/** What serves in turn and moves nothing: it is no link, disk or memory. */
const serversAlone = /(^|: )(front end|processors) /;

/** The busiest of links, disks and memories; null where nothing takes turns. */
export function busiestLink({
  links,
  simulatedNs,
}: Pick<LiveSnapshot, "links" | "simulatedNs">): { readonly name: string; readonly share: number } | null {
  let busiest: { readonly name: string; readonly share: number } | null = null;
  for (const { name, busyNs, turns } of links) {
    if (turns === null || serversAlone.test(name)) continue;
    const share = simulatedNs > 0 ? Math.min(1, busyNs / simulatedNs) : 0;
    if (busiest === null || share > busiest.share) busiest = { name, share };
  }
  return busiest;
}
