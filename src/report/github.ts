import type { Exporter } from "./exporter.ts";
import { markdownReport } from "./markdown.ts";

/** GitHub refuses a step summary above 1 MiB. */
const bytesMax = 1024 * 1024 - 1024;

/** The Markdown report cut to what a GitHub step summary may hold; whole scenarios are left out, and counted. */
export const githubExport: Exporter = {
  description: "Markdown for a GitHub step summary, at most 1 MiB",
  render: (forecasts) => {
    let text = "";
    for (const [index, forecast] of forecasts.entries()) {
      const part = `${markdownReport(forecast)}\n`;
      if (Buffer.byteLength(text) + Buffer.byteLength(part) > bytesMax)
        return `${text}\n${forecasts.length - index} more scenarios are left out for size.\n`;
      text += part;
    }
    return text;
  },
};
