import type { SimConfig, Workload } from "../../sim/config.ts";
import { poolsOf } from "../../sim/config.ts";
import type { RequestTable } from "../../trace/request-table.ts";
import type { Knob } from "./knob.ts";

/** How fast requests come: the rate of arrivals, or the clients of a closed loop. */
export const load: Knob = {
  label: "arrival rate or clients",
  scaled: ({ config }, factor) => {
    const { workload } = config;
    if (workload.kind === "open") {
      const { requests } = workload;
      const arrivalNs = requests.arrivalNs.map((ns) => Math.round(ns / factor));
      return { ...config, workload: { ...workload, requests: { ...requests, arrivalNs } } };
    }
    const concurrency = Math.max(1, Math.round(workload.concurrency * factor));
    if (concurrency === workload.concurrency) return `a closed loop of ${workload.concurrency} has no such part`;
    return { ...config, workload: { ...workload, concurrency } };
  },
};

/** Tokens of every request so many times as many, at least one, within the longest context that is served. */
function withLengths(config: SimConfig, factor: number, column: "promptTokens" | "outputTokens"): SimConfig | string {
  const { requests } = config.workload;
  if (requests.turns !== undefined) return "later turns repeat the tokens of earlier ones";
  if (column === "promptTokens" && requests.prefix !== null) return "prompts share blocks of a given length";
  const contextMax = Math.min(...poolsOf(config).map(({ scheduler }) => scheduler.contextTokensMax));
  const other = column === "promptTokens" ? requests.outputTokens : requests.promptTokens;
  const scaled = requests[column].map((tokens, i) =>
    // Requests that are too long as they are stay so.
    Math.max(1, Math.min(Math.round(tokens * factor), Math.max(tokens, contextMax - other[i]!))),
  );
  const table: RequestTable = { ...requests, [column]: scaled };
  const workload: Workload = { ...config.workload, requests: table };
  return { ...config, workload };
}

export const promptLength: Knob = {
  label: "prompt lengths",
  scaled: ({ config }, factor) => withLengths(config, factor, "promptTokens"),
};

export const outputLength: Knob = {
  label: "output lengths",
  scaled: ({ config }, factor) => withLengths(config, factor, "outputTokens"),
};
