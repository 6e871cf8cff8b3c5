import { formatCount, formatPercent } from "../../../core/units.ts";
import type { Forecast, SloVerdict } from "../../../forecast/forecast.ts";
import { sustainedText } from "../../../sim/outcome/load/load-text.ts";
import { marginLabel } from "../../labels.ts";
import type { Tone } from "../../page.ts";

/** How a run came out and by which margin, in one sentence. */
export function verdictSentence(forecast: Forecast): { readonly text: string; readonly tone: Tone } {
  const { load, slos, interrupted, requests, passed, baseline } = forecast;
  const judged = slos.filter(({ level }) => level === "error");
  const missed = judged.filter((slo) => !slo.passed);
  const regressed = baseline?.filter(({ failed }) => failed).length ?? 0;
  const so = interrupted
    ? `Interrupted at ${formatCount(requests.completed)} of ${formatCount(requests.total)} requests; what follows covers these alone. `
    : "";
  const regressions = regressed === 0 ? "" : ` ${formatCount(regressed)} metrics are worse than the baseline allows.`;
  const tone: Tone = interrupted
    ? "warn"
    : passed && regressed === 0 && load.verdict === "stable"
      ? "good"
      : passed && regressed === 0
        ? "warn"
        : "bad";
  const say = (text: string) => ({ text: `${so}${text}${regressions}`, tone });
  if (load.verdict === "overloaded") {
    const rate = sustainedText(load);
    return say(
      `Cannot keep up with its load${rate === null ? "" : `: it sustains ${rate}`}; latencies grow with the run and are not given.`,
    );
  }
  if (judged.length === 0) {
    const open =
      load.verdict === "tooShort" ? "The run is too short to tell whether it keeps up" : "Keeps up with its load";
    return say(`${open}; no SLO was stated to judge it by.`);
  }
  const keeps = load.verdict === "tooShort" ? ", but the run is too short to tell whether it keeps up" : "";
  if (missed.length > 0)
    return say(
      `Misses ${formatCount(missed.length)} of ${formatCount(judged.length)} SLOs: ${missed.map(told).join("; ")}${keeps}.`,
    );
  const tightest = judged.filter(({ margin }) => margin !== null).sort((a, b) => a.margin! - b.margin!)[0];
  const nearest = tightest === undefined ? "" : `; the tightest is ${told(tightest)}`;
  return say(`Meets ${judged.length === 1 ? "its SLO" : `all ${formatCount(judged.length)} SLOs`}${nearest}${keeps}.`);
}

const told = ({ metric, expression, valueText, margin, passed, reason }: SloVerdict): string => {
  const by =
    margin === null
      ? ""
      : passed
        ? `, a margin of ${formatPercent(margin)}`
        : margin < -9
          ? `, ${marginLabel(margin)}`
          : margin < 0
            ? `, ${formatPercent(-margin)} beyond the limit`
            : "";
  return `${metric} ${expression} at ${valueText}${by}${!passed && reason !== null ? ` (${reason})` : ""}`;
};
