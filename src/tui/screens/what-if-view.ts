import { oneLine } from "../../core/printable.ts";
import { formatCount, formatNumber } from "../../core/units.ts";
import { compareForecasts } from "../../forecast/baseline.ts";
import type { Forecast, SloVerdict } from "../../forecast/forecast.ts";
import { bottleneckLabel } from "../../report/labels.ts";
import { wrap } from "../../report/text-table.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { beside, fitLine, type Size } from "../../report/widgets/styled-text.ts";
import type { FormField } from "../../scenario/form-fields.ts";
import { isTrying, type Trial } from "../state/trial.ts";
import { deltaTable } from "../view/delta-table.ts";
import { isWide } from "../view/layout.ts";
import { loadNote, sloStand, sloTones, valueAlone } from "../view/slo-stand.ts";
import { settingText } from "./what-if-change.ts";
import type { Sample } from "./what-if-sample.ts";

/** What the view shows. */
export interface WhatIfShown {
  readonly name: string;
  readonly sample: Sample | null;
  readonly base: Trial | null;
  /** null while nothing is changed. */
  readonly now: Trial | null;
  readonly changes: readonly string[];
  /** What the base comes to on all requests, where that was run. */
  readonly whole: Forecast | null;
  readonly step: string;
  readonly fields: readonly FormField[];
  readonly selected: number;
  readonly from: number;
  readonly filter: string;
  /** The first metric that is seen. */
  readonly metricsFrom: number;
}

/** Lines above the form, of the name, the sample and what is changed. */
const headLines = 4;
const formShare = 0.4;

/** Lines of what the selected key means. */
const fieldHeight = (area: Size): number => (isWide(area) ? 6 : 2);

/** Lines of the form. */
export const formHeight = (area: Size): number =>
  Math.max(
    2,
    isWide(area) ? area.height - headLines - fieldHeight(area) - 1 : Math.floor((area.height - headLines) / 2),
  );

export function whatIfView(shown: WhatIfShown, area: Size, palette: Palette): string[] {
  const { width } = area;
  const wide = isWide(area);
  const formWidth = wide ? Math.floor(width * formShare) : width;
  const form = [
    ...formLines(shown, { width: formWidth, height: formHeight(area) }, palette),
    ...fieldLines(shown, { width: formWidth, height: fieldHeight(area) }, palette),
  ];
  const room: Size = wide
    ? { width: width - formWidth - 3, height: area.height - headLines }
    : { width, height: area.height - headLines - form.length };
  const answer = answerLines(shown, room, palette);
  return [...head(shown, width, palette), ...(wide ? beside(form, answer, formWidth, 3) : [...form, ...answer])];
}

function head(
  { name, sample, changes, step, now, base, filter }: WhatIfShown,
  width: number,
  palette: Palette,
): string[] {
  const trying = now === null ? base : now;
  const state = trying === null ? "" : isTrying(trying) ? "running" : trying.message !== null ? "refused" : "";
  const what =
    changes.length === 0
      ? palette.dim("nothing is changed: Enter, + and - change the selected key")
      : changes.map((one) => oneLine(settingText(one))).join("  ");
  return [
    `${palette.bold(`What if: ${oneLine(name)}`)}  ${palette.dim([step, state].filter((part) => part !== "").join(", "))}`,
    sampleLine(sample, now, palette, filter === "" ? "" : `; keys with "${oneLine(filter)}"`),
    fitLine(palette.accent(what), width, palette.glyphs.ellipsis).trimEnd(),
    "",
  ];
}

/** On which requests the question is answered, and whether these are too few for it. */
function sampleLine(sample: Sample | null, now: Trial | null, palette: Palette, rest: string): string {
  if (sample === null) return palette.dim(`on no requests yet${rest}`);
  const { requests, of, least } = sample;
  const all = formatCount(of);
  if (requests >= of)
    return palette.dim(`on all ${all} requests${least > of ? ", as no part stands for all" : ""}${rest}`);
  const first = `on the first ${formatCount(requests)} of ${all} requests`;
  if (now !== null && now.forecast !== null && now.leastSample > requests)
    return palette.warn(`${first}, too few to stand for all after this change: r runs all`);
  return palette.dim(`${first}, the same draws in both (r runs all)${rest}`);
}

/** The keys that can be changed, those that matter first. */
function formLines({ fields, selected, from, changes }: WhatIfShown, size: Size, palette: Palette): string[] {
  const visible = visibleRows(fields.length, size.height);
  const at = Math.max(0, Math.min(selected, fields.length - 1));
  const paths = new Set(changes.map((change) => change.slice(0, change.indexOf("="))));
  const isChanged = (row: number): boolean => {
    const { path, kindSettings } = fields[row]!;
    return paths.has(kindSettings.length === 0 ? path : path.slice(0, path.lastIndexOf(".")));
  };
  return scrollTable(
    {
      columns: [
        { header: "key", min: 20 },
        { header: "value", min: 10 },
      ],
      rows: fields.length,
      cell: (row, column) => {
        const { path, stated, byDefault } = fields[row]!;
        return column === 0 ? path : (stated ?? (byDefault === null ? "-" : `(${byDefault})`));
      },
      tone: (row) => (isChanged(row) ? "accent" : fields[row]!.stated === null ? "dim" : undefined),
    },
    size,
    palette,
    { from: tableFrom(at, from, fields.length, visible), selected: at, marked: isChanged },
  );
}

/** What the selected key means, and what it takes. */
function fieldLines({ fields, selected }: WhatIfShown, { width, height }: Size, palette: Palette): string[] {
  const field = fields[Math.min(selected, fields.length - 1)];
  if (field === undefined) return [];
  const { kind, choices, minimum, maximum, example, description } = field;
  const takes =
    kind === "choice"
      ? choices.join(", ")
      : [
          kind,
          ...(minimum === null ? [] : [`from ${formatNumber(minimum, 6)}`]),
          ...(maximum === null ? [] : [`to ${formatNumber(maximum, 6)}`]),
          ...(example === null ? [] : [`such as ${example}`]),
        ].join(" ");
  return ["", ...wrap(`${description} ${takes}`, width).slice(0, height)].map((line) => palette.dim(line));
}

/** What the change does to every metric, or why there is no answer. */
function answerLines({ now, base, changes, whole, metricsFrom }: WhatIfShown, size: Size, palette: Palette): string[] {
  const refused = [now, base].find((trial) => trial !== null && trial.message !== null);
  if (refused?.message != null)
    return [
      palette.bad(palette.bold("refused")),
      ...refused.message
        .split("\n")
        .flatMap((line) => wrap(line, size.width))
        .map((line) => palette.bad(line)),
    ].slice(0, size.height);
  const before = base?.forecast ?? null;
  if (before === null) return [palette.dim("the base is run")];
  const after = now?.forecast ?? null;
  if (changes.length === 0 || now === null)
    return [
      palette.bold("The base"),
      ...verdictLines(before, null, size.width, palette),
      ...wholeLines(before, whole, size.width, palette),
    ];
  if (after === null) return [palette.dim("the change is run")];
  const deltas = compareForecasts(before, after);
  const verdicts = verdictLines(before, after, size.width, palette).slice(0, Math.max(1, size.height - 6));
  return [
    ...verdicts,
    ...scrollTable(deltaTable(deltas), { width: size.width, height: size.height - verdicts.length }, palette, {
      from: metricsFrom,
    }),
  ];
}

/** How far the sample is from the whole run, where that says something. */
function wholeLines(sample: Forecast, whole: Forecast | null, width: number, palette: Palette): string[] {
  if (whole === null || whole.requests.total === sample.requests.total) return [];
  const [part, all] = [sample, whole].map(({ throughput }) => formatNumber(throughput.outputTokensPerSecond, 4));
  const text = `${part} output tok/s on the sample, ${all} on all requests: a short run begins and ends with few requests at once.`;
  return wrap(text, width).map((line) => palette.dim(line));
}

/** What each SLO came to on the sample, before and now, and whether the deployment keeps up. */
function verdictLines(before: Forecast, after: Forecast | null, width: number, palette: Palette): string[] {
  const arrow = palette.dim("->");
  const stand = (slo: SloVerdict) => `${valueAlone(slo)} ${sloStand(slo, false)}`;
  const lines = before.slos.map((slo, i) => {
    const next = after?.slos[i];
    const paint = palette[sloTones[sloStand(next ?? slo, false)]];
    const text = next === undefined ? paint(stand(slo)) : `${stand(slo)} ${arrow} ${paint(stand(next))}`;
    return fitLine(
      `${fitLine(`${slo.metric} ${slo.expression}`, 22)} ${text}`,
      width,
      palette.glyphs.ellipsis,
    ).trimEnd();
  });
  const notes = [loadNote(before), ...(after === null ? [] : [loadNote(after)])];
  const load = notes.every((note) => note === "")
    ? []
    : wrap(notes.map((note) => note || "keeps up").join(" -> "), width).map((line) => palette.warn(line));
  const limits = [before, ...(after === null ? [] : [after])].map(bottleneckLabel);
  const limit = limits[0] === limits.at(-1) ? limits[0]! : limits.join(" -> ");
  return [...lines, ...load, ...wrap(`Limited by: ${limit}`, width)];
}
