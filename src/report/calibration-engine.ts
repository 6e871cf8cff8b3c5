import type { EngineCalibration } from "../calibrate/engine/calibrate-engine.ts";
import { figureNames, logsOf } from "../calibrate/engine/serving-figures.ts";
import { formatNumber } from "../core/units.ts";
import { type TextStyle, textTable } from "./text-table.ts";

/** The figures that were fitted for an engine, and how well they hold. */
export function engineCalibrationText(calibration: EngineCalibration, style: TextStyle): string {
  const { engine, points, groups, medianAbsolutePercent, biasPercent, timedPoints, ttftMedianAbsolutePercent } =
    calibration;
  const logs = logsOf(engine);
  const rows = [
    ...figureNames.map((name, index) => [name, formatNumber(Math.exp(logs[index] ?? 0))]),
    ["requestOverheadNs", formatNumber(engine.requestOverheadNs)],
    ["promptTokenDelayNs", formatNumber(engine.promptTokenDelayNs)],
  ];
  const head = style.bold(`${engine.name}: ${points} points of ${groups} models and systems`);
  const error = `steady-state TPOT of the fit: median error ${medianAbsolutePercent.toFixed(1)}%, bias ${biasPercent.toFixed(1)}%`;
  const ttft =
    ttftMedianAbsolutePercent === null
      ? []
      : [`TTFT below saturation of ${timedPoints} points: median error ${ttftMedianAbsolutePercent.toFixed(1)}%`];
  return `${[head, error, ...ttft, ...textTable(rows, { align: ["left", "right"] })].join("\n")}\n`;
}
