import { basename } from "node:path";
import type { CalibratedMap, KernelCalibration } from "../calibrate/maps/calibrate-kernels.ts";
import type { BrokenLaw } from "../calibrate/maps/kernel-laws.ts";
import { formatProblem } from "../core/errors.ts";
import { formatCount, formatPercent } from "../core/units.ts";
import { type TextStyle, textTable } from "./text-table.ts";

/** Refused rows that are named. */
const refusedShown = 3;

/** The kernel maps that were fitted, their errors, and what rows were left out and why. */
export function kernelCalibrationText({ kernels, maps, brokenLaws }: KernelCalibration, style: TextStyle): string {
  const rows = maps.map((result) => [
    [result.family, result.engine, result.format].filter((part) => part !== null).join(" "),
    formatCount(result.rows),
    formatCount(result.shapes),
    formOf(result),
    ...errorsOf(result),
  ]);
  const table = textTable(
    [["kernels", "rows", "shapes", "form", "fit mean", "held out mean", "p90", "bias"].map(style.bold), ...rows],
    { align: ["left", "right", "right", "left", "right", "right", "right", "right"] },
  );
  const notes = [...maps.flatMap((result) => notesOf(result)), ...brokenLaws.map(lawLine)];
  return `${[`${style.bold(kernels.device)}: ${maps.length} kinds of kernels`, ...table, ...notes].join("\n")}\n`;
}

function formOf({ map }: CalibratedMap): string {
  if (map === null) return "none: no usable row";
  if (map.axes.length === 0) return "one number";
  return map.axes.map(({ name, knots }) => `${name} ${knots.length}`).join(" x ");
}

function errorsOf({ map }: CalibratedMap): string[] {
  const percent = (share: number | undefined) => (share === undefined ? "n/a" : formatPercent(share, 1));
  const held = map?.fit.heldOutError ?? undefined;
  return [percent(map?.fit.fitError.mean), percent(held?.mean), percent(held?.p90), percent(held?.bias)];
}

const comparisons: Readonly<Record<BrokenLaw["law"]["kind"], string>> = {
  narrower: "in",
  otherEngine: "in",
  morePairs: "with more pairs on as many experts",
  moreExperts: "with more experts for as many pairs",
  widerShard: "with wider shards",
};

function lawLine({ engine, format, law, excess, shapes, broken }: BrokenLaw): string {
  const than = `than ${comparisons[law.kind]}${"than" in law ? ` ${law.than}` : ""}`;
  return (
    `groupedGemm ${engine} ${format}: slower ${than} on ${formatCount(broken)} of ${formatCount(shapes)} shapes, ` +
    `at most ${excess.toFixed(2)} times what measurement explains. Many such shapes are the sign of another kernel.`
  );
}

function notesOf({
  family,
  format,
  engine,
  refused,
  cachedRows,
  hostRows,
  listedRows,
  untunedRows,
}: CalibratedMap): string[] {
  const name = [family, engine, format].filter((part) => part !== null).join(" ");
  const more = refused.length - refusedShown;
  return [
    ...refused
      .slice(0, refusedShown)
      .map(({ file, row, reason }) =>
        formatProblem({ file: basename(file), at: `row ${row}`, expected: "a possible time", hint: reason }),
      ),
    ...(more > 0 ? [`${name}: ${formatCount(more)} more rows beyond the physical peak`] : []),
    ...(cachedRows > 0
      ? [`${name}: ${formatCount(cachedRows)} rows left out, their operands sat in the last-level cache`]
      : []),
    ...(hostRows > 0 ? [`${name}: ${formatCount(hostRows)} rows left out, they time the launch from the host`] : []),
    ...(listedRows > 0
      ? [`${name}: ${formatCount(listedRows)} rows left out, of series known to time another kernel`]
      : []),
    ...(untunedRows > 0
      ? [`${name}: ${formatCount(untunedRows)} rows left out, of layouts that take longer than larger ones: untuned`]
      : []),
  ];
}
