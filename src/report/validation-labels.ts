import type { ServingPoint } from "../calibrate/measured/serving-point.ts";
import { formatCount } from "../core/units.ts";
import type { MetricError } from "../validate/serving/validation.ts";
import type { PageColumn, PageLine, PageSection } from "./page.ts";

/** A percentage without sign; `n/a` where there is none. */
export const percentLabel = (percent: number | null): string => (percent === null ? "n/a" : `${percent.toFixed(1)}%`);

/** A percentage with its sign, `0.0%` without. */
export function signedLabel(percent: number | null): string {
  if (percent === null) return "n/a";
  const text = percent.toFixed(1);
  if (Number(text) === 0) return "0.0%";
  return `${percent > 0 ? "+" : ""}${text}%`;
}

/** `1 point`, `2,000 points`. */
export const counted = (count: number, unit: string): string =>
  `${formatCount(count)} ${unit}${count === 1 ? "" : "s"}`;

/** A model's name without the organisation it is published by. */
export const shortModel = (model: string): string => model.slice(model.lastIndexOf("/") + 1);

/** `tp4/ep4`: attention ranks, then expert ranks; degrees of 1 are not named. */
function layoutLabel({ tp, dp, etp, ep, devices }: ServingPoint): string {
  const degrees = (named: Readonly<Record<string, number>>) =>
    Object.entries(named)
      .filter(([, degree]) => degree > 1)
      .map(([name, degree]) => `${name}${degree}`)
      .join("x");
  return devices === 1 ? "1 device" : `${degrees({ tp, dp }) || "tp1"}/${degrees({ etp, ep }) || "etp1"}`;
}

/** Everything that tells a point from others, in one line. */
export function pointLabel(point: ServingPoint): string {
  const { model, system, engine, version, precision, promptTokens, outputTokens, concurrency } = point;
  const release = version === "" ? engine : `${engine} ${version}`;
  return (
    `${shortModel(model)} ${precision}, ${system} ${layoutLabel(point)}, ${release}, ` +
    `${promptTokens} in, ${outputTokens} out, concurrency ${concurrency}`
  );
}

/** Columns of {@link errorCells}. */
export const errorColumns: readonly PageColumn[] = [
  { header: "points", align: "right", dispensable: 1 },
  { header: "mean", align: "right" },
  { header: "median", align: "right" },
  { header: "p90", align: "right", dispensable: 2 },
  { header: "bias", align: "right" },
];

export const errorCells = (error: MetricError): string[] => [
  String(error.points),
  percentLabel(error.meanAbsolutePercent),
  percentLabel(error.medianAbsolutePercent),
  percentLabel(error.p90AbsolutePercent),
  signedLabel(error.biasPercent),
];

/** Milliseconds with two decimals, so that a column of them lines up; whole from 1,000 on. */
export const msLabel = (ms: number): string => `${ms < 1000 ? ms.toFixed(2) : formatCount(ms)} ms`;

/** What was compared with what, a line each. */
export const quietLines = (lines: readonly string[]): PageLine[] => lines.map((text) => ({ text, quiet: true }));

/** What went into a validation. */
export const inputsSection = (
  inputs: readonly { readonly role: string; readonly name: string; readonly sha256: string }[],
): PageSection => ({
  kind: "table",
  title: "Inputs",
  columns: [{ header: "" }, { header: "" }, { header: "" }],
  rows: inputs.map(({ role, name, sha256 }) => [role, `sha256 ${sha256.slice(0, 16)}`, name]),
  quiet: true,
});

/** What words of a validation mean. */
export const definitionsSection = (definitions: Readonly<Record<string, string>>): PageSection => ({
  kind: "table",
  title: "Definitions",
  columns: [{ header: "" }, { header: "" }],
  rows: Object.entries(definitions),
  quiet: true,
});

/** Lines below a title; nothing where there are none. */
export const listSection = (title: string, items: readonly string[]): PageSection[] =>
  items.length === 0 ? [] : [{ kind: "text", line: { text: title, strong: true }, items }];
