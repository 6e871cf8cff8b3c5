import { oneLine } from "../../core/printable.ts";
import { formatCount, formatNumber } from "../../core/units.ts";
import type { PlanCandidate, PlanDocument } from "../../plan/answer/plan-document.ts";
import { outcomeFigures } from "../../plan/job/outcome-figures.ts";
import { withUnit } from "../../report/baseline-labels.ts";
import { chanceText } from "../../report/plan-verdict.ts";
import { wrap, wrapItems } from "../../report/text-table.ts";
import { toneSign } from "../../report/widgets/bar-line.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { fitLine, fitRight, styledWidth } from "../../report/widgets/styled-text.ts";
import { toneOf } from "./plan-columns.ts";

/** All that a plan says of a candidate, what matters most first, as lines of at most `width` cells. */
export function candidateLines(
  document: PlanDocument,
  candidate: PlanCandidate,
  load: readonly string[],
  width: number,
  palette: Palette,
): string[] {
  const { name, id, settings, requests, figures } = candidate;
  const finalist = document.finalists.find((one) => one.id === id);
  return [
    ...wrap(name, width).map((line) => palette.bold(line)),
    ...standLines(document, candidate, width, palette),
    ...placeItems(document, candidate).flatMap((line) => wrap(line, width)),
    ...wrapItems(summaryItems(candidate), ", ", width),
    ...(finalist?.chances ?? []).flatMap(({ slo, chance, slowestFactor }) => {
      const breaks = slowestFactor === null ? "" : `; breaks where all is ${formatNumber(slowestFactor, 3)}x as slow`;
      return wrap(
        chance === null ? `${slo}: no chance is known` : `${slo} holds with a chance of ${chanceText(chance)}${breaks}`,
        width,
      );
    }),
    "",
    ...settingLines([...settings, ...load], width, palette),
    "",
    palette.bold(
      figures === null ? "Not run: no figures" : `Figures of its run over ${formatCount(requests)} requests`,
    ),
    ...(figures === null ? [] : figureLines(figures, width, palette)),
    palette.dim(fitLine(`id ${oneLine(id)}`, width, palette.glyphs.ellipsis).trimEnd()),
  ];
}

/** What it is over the scenario; keys that it does without come last, as words. */
function settingLines(settings: readonly string[], width: number, palette: Palette): string[] {
  const without = settings.flatMap((setting) => /^([\w.]+)=null$/.exec(setting)?.[1] ?? []);
  const others = settings.filter((setting) => !/^[\w.]+=null$/.test(setting));
  return [
    palette.bold("Settings over the scenario"),
    ...others.flatMap((setting) => wrap(setting, width)),
    ...(without.length === 0 ? [] : wrap(`without ${without.join(", ")}`, width).map(palette.dim)),
  ];
}

const words: Readonly<Record<Exclude<PlanCandidate["status"], "untested">, string>> = {
  feasible: "meets the SLOs",
  infeasible: "does not meet the SLOs",
  pruned: "excluded before it ran",
  failed: "its run failed",
};

/** Why nobody knows whether a candidate meets the SLOs. */
function untestedWords({ objectives, interrupted }: PlanDocument): string {
  if (objectives.every(({ name }) => name === "frontier")) return "a frontier judges nothing by SLOs";
  if (interrupted) return "the plan was interrupted";
  return "not tested to the end: it cannot be better by what is looked for";
}

/** How it stands, and why. */
function standLines(
  document: PlanDocument,
  { status, cause, reason, binding, strain }: PlanCandidate,
  width: number,
  palette: Palette,
): string[] {
  const tone = toneOf({ status });
  const sign = toneSign(tone, palette);
  const nearest =
    binding === null || strain === null ? "" : `; ${binding} at ${formatNumber(100 * strain, 3)}% of its limit`;
  const because = status === "feasible" ? nearest : cause === null ? "" : `: ${cause}`;
  const lines = [
    `${sign === "" ? "" : `${sign} `}${status}: ${status === "untested" ? untestedWords(document) : words[status]}${because}`,
    ...(reason === null ? [] : reason.split("\n")),
  ].flatMap((line) => wrap(line, width));
  return tone === undefined ? lines : lines.map((line) => palette[tone](line));
}

const ordinal = (place: number): string => {
  const last = place % 10;
  const ending = Math.floor(place / 10) % 10 === 1 || last > 3 ? "th" : (["th", "st", "nd", "rd"][last] ?? "th");
  return `${formatCount(place)}${ending}`;
};

/** Its places among what was found. */
const placeItems = ({ objectives }: PlanDocument, { id }: PlanCandidate): string[] =>
  objectives.flatMap(({ name, title, found, closest }) => {
    if (name === "frontier") {
      const count = found.filter((one) => one.id === id).length;
      return count === 0 ? [] : [`${formatCount(count)} point${count === 1 ? "" : "s"} of the frontier`];
    }
    const place = found.findIndex((one) => one.id === id);
    if (place >= 0) return [`${ordinal(place + 1)} by ${title}: ${found[place]!.text}`];
    return closest?.id === id ? [`the closest by ${title}: ${closest.shortfall}`] : [];
  });

const summaryItems = ({ devices, usdPerHour, powerW, figures }: PlanCandidate): string[] => {
  const figure = (name: string, label: string) => {
    const value = figures?.[name] ?? null;
    return value === null ? [] : [`${label} ${figureText(name, value)}`];
  };
  return [
    `${formatCount(devices)} device${devices === 1 ? "" : "s"}`,
    usdPerHour === null ? "no price is known" : `$${formatNumber(usdPerHour, 4)}/h`,
    ...(powerW === null ? [] : [`${formatNumber(powerW / 1000)} kW`]),
    ...figure("ttft.p99", "TTFT p99"),
    ...figure("tpot.p50", "TPOT p50"),
    ...figure("throughputPerDevice", "").map((text) => `${text.trim()} a device`),
  ];
};

const units = new Map(outcomeFigures.map(({ name, unit }) => [name, unit]));

function figureText(name: string, value: number): string {
  const unit = units.get(name);
  if (unit === undefined) return formatNumber(value, 4);
  if (unit === "devices") return formatCount(value);
  if (unit === "USD/h") return `$${formatNumber(value, 4)}/h`;
  if (unit === "flag") return value === 0 ? "no" : "yes";
  return withUnit[unit](value);
}

const gap = 3;

/** Figures that are told before the others. */
const told = new Set(["devices", "usdPerHour"]);

/** Figures as SLOs name them, in as many columns as fit; those without a value are counted. */
function figureLines(figures: NonNullable<PlanCandidate["figures"]>, width: number, palette: Palette): string[] {
  const own = Object.entries(figures).filter(([name]) => !told.has(name));
  const known = own.flatMap(([name, value]) =>
    value === null ? [] : [{ name: oneLine(name), text: figureText(name, value) }],
  );
  const widest = (of: (row: (typeof known)[number]) => string) =>
    known.reduce((most, row) => Math.max(most, styledWidth(of(row))), 0);
  const names = Math.min(
    widest(({ name }) => name),
    Math.max(8, width - 14),
  );
  const texts = widest(({ text }) => text);
  const across = Math.max(1, Math.floor((width + gap) / (names + 2 + texts + gap)));
  const down = Math.ceil(known.length / across);
  const cell = ({ name, text }: (typeof known)[number]) =>
    `${fitLine(name, names, palette.glyphs.ellipsis)}  ${fitRight(text, texts)}`;
  const rows = Array.from({ length: down }, (_, row) =>
    known
      .filter((_figure, i) => i % down === row)
      .map(cell)
      .join(" ".repeat(gap)),
  );
  const missing = own.length - known.length;
  return [
    ...rows.map((line) => fitLine(line, width, palette.glyphs.ellipsis).trimEnd()),
    ...(missing === 0 ? [] : wrap(`${formatCount(missing)} more have no value in such a run`, width).map(palette.dim)),
  ];
}
