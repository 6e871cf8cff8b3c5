import { quantiles } from "../../core/quantile.ts";
import { mean } from "../../core/statistics.ts";
import type { KernelError } from "../../hardware/kernel-maps.ts";

/** Errors of forecast times against measured ones, as shares of the measured time. */
export function kernelError(forecastNs: Float64Array, measuredNs: Float64Array): KernelError {
  const signed = forecastNs.map((ns, i) => ns / measuredNs[i]! - 1);
  const absolute = signed.map(Math.abs);
  const [median = NaN, p90 = NaN] = quantiles(absolute, [0.5, 0.9]);
  return { rows: absolute.length, mean: mean(absolute), median, p90, bias: mean(signed) };
}
