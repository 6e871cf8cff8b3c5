import type { EngineProfileFile } from "../../engine/profile-schema.ts";
import type { EngineCalibration } from "./calibrate-engine.ts";

/** Figures of a fit are printed with this many digits; more would say more than the fit knows. */
const digits = 3;

/** An engine's profile with the figures of a calibration in place of its own, each with where it comes from. */
export function fittedProfile(
  profile: EngineProfileFile,
  calibration: EngineCalibration,
  table: { readonly name: string; readonly date: string },
): EngineProfileFile {
  const { engine, points, groups, unseen, medianAbsolutePercent, timedPoints, ttftMedianAbsolutePercent } = calibration;
  const source =
    `fitted on ${table.date} to ${points} measured points of ${groups} models and systems in ${table.name}, ` +
    `together with the other engines of the table: median TPOT error ${medianAbsolutePercent.toFixed(1)} %`;
  const handlingSource =
    `fitted on ${table.date} to the TTFT below saturation of ${timedPoints} points in ${table.name}, together with the ` +
    `other engines of the table: median TTFT error ${(ttftMedianAbsolutePercent ?? 0).toFixed(1)} %`;
  const fitted = (value: number, from = source) => ({
    value: Number(value.toPrecision(digits)),
    kind: "measured" as const,
    source: from,
  });
  const common = `no measured point of the engine has it: common to the engines fitted on ${table.date} to ${table.name}`;
  const all = <Key extends string>(values: Readonly<Record<Key, number>>) =>
    Object.fromEntries(
      Object.entries<number>(values).map(([key, value]) => [
        key,
        unseen.has(key) ? { ...fitted(value, common), kind: "estimated" as const } : fitted(value),
      ]),
    ) as Record<Key, EngineProfileFile["kernelExcess"]>;
  return {
    ...profile,
    stepOverheadNs: fitted(engine.stepOverheadNs),
    sequenceOverheadNs: fitted(engine.sequenceOverheadNs),
    ...(timedPoints === 0
      ? {}
      : {
          requestOverheadNs: fitted(engine.requestOverheadNs, handlingSource),
          promptTokenDelayNs: fitted(engine.promptTokenDelayNs, handlingSource),
        }),
    prefillStepOverheadNs: fitted(engine.prefillStepOverheadNs),
    kernelOverheadNs: fitted(engine.kernelOverheadNs),
    layerKernels: all(engine.layerKernels),
    formatKernels: all(engine.formatKernels),
    kernelExcess: fitted(engine.kernelExcess),
    prefillExcess: fitted(engine.prefillExcess),
    collectiveFactor: fitted(engine.collectiveFactor),
    versions: Object.fromEntries(Object.entries(engine.versions).map(([version, factors]) => [version, all(factors)])),
  };
}
