import type { Exporter } from "./exporter.ts";
import { markdownFailure, markdownHeading, markdownReport } from "./markdown.ts";

/** GitHub refuses a step summary above 1 MiB; the remainder is for the line that says what was left out. */
const bytesMax = 1024 * 1024 - 256;

/**
 * The Markdown reports, cut to what a GitHub step summary may still hold: a report that does not fit is reduced to its
 * heading, and if that does not fit either it is left out, and counted.
 */
export const githubExport: Exporter = {
  appends: true,
  reportsFailures: true,
  render: (forecasts, { failures = [], presentBytes = 0 } = {}) => {
    // Scenarios without a forecast come first, so that they are never what is cut.
    const parts = [
      ...failures.map((failure) => [markdownFailure(failure)]),
      ...forecasts.map((forecast) => [markdownReport(forecast), markdownHeading(forecast).join("\n")]),
    ];
    let text = "";
    let bytes = presentBytes;
    let leftOut = 0;
    for (const forms of parts) {
      const part = forms.map((form) => `${form}\n`).find((form) => bytes + Buffer.byteLength(form) <= bytesMax);
      if (part === undefined) leftOut += 1;
      else {
        text += part;
        bytes += Buffer.byteLength(part);
      }
    }
    // A summary that is full already takes nothing more.
    if (leftOut === 0 || bytes > bytesMax) return text;
    return `${text}${leftOut} scenarios are left out: a step summary holds 1 MiB.\n`;
  },
};
