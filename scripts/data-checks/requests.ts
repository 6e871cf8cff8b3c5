import { basename, join } from "node:path";
import { loadRequests } from "../../src/trace/requests/load-requests.ts";
import { type RequestSummary, summariseRequests } from "../../src/trace/requests/summarise-requests.ts";
import type { CheckLine } from "./check-line.ts";

/** A published statistic of a trace and how it is printed. */
type Statistic = readonly [name: string, expected: string, found: (summary: RequestSummary) => string];

const lengths = (name: "prompt" | "output", expected: string, digits = 0): Statistic => [
  `${name} tokens p10/p50/p90/p99/max (mean)`,
  expected,
  ({ [name]: { p10, p50, p90, p99, max, mean } }) => `${p10}/${p50}/${p90}/${p99}/${max} (${mean.toFixed(digits)})`,
];
const rows = (expected: string): Statistic => ["rows", expected, ({ count }) => String(count)];
const rate = (expected: string): Statistic => ["requests/s", expected, (s) => fixed(s.ratePerSecond, 2)];
const spanMinutes = (expected: string): Statistic => ["span, min", expected, (s) => (s.spanNs / 60e9).toFixed(1)];
const cv = (expected: string, digits: number): Statistic => [
  "IAT CV",
  expected,
  (s) => fixed(s.interarrivalCv, digits),
];
const idc = (expected: string, digits: number): Statistic => [
  "IDC(10 s)",
  expected,
  (s) => fixed(s.dispersion10s, digits),
];
const prefix = (expected: string): Statistic => [
  "prefix blocks, distinct, hit rate bound",
  expected,
  ({ prefix: p }) => (p === null ? "none" : `${p.blocks}, ${p.distinct}, ${(p.hitRateMax * 100).toFixed(1)} %`),
];

/** Statistics of the published traces, computed from the files by an independent script. */
const published: Readonly<Record<string, Readonly<Record<string, readonly Statistic[]>>>> = {
  azure_llm_2023: {
    "AzureLLMInferenceTrace_code.csv.gz": [
      rows("8819"),
      rate("2.57"),
      spanMinutes("57.3"),
      lengths("prompt", "147/1469/5194/7436/7437 (2048)"),
      lengths("output", "7/13/55/252/1899 (27.9)", 1),
      cv("13.2", 1),
      idc("71", 0),
      ["most in a minute", "632", (s) => String(s.peakPerMinute)],
      ["longest gap, s", "217", (s) => (s.longestGapNs / 1e9).toFixed(0)],
    ],
    "AzureLLMInferenceTrace_conv.csv.gz": [
      rows("19366"),
      rate("5.53"),
      spanMinutes("58.4"),
      lengths("prompt", "207/1020/2735/4142/14050 (1155)"),
      lengths("output", "54/129/424/601/1000 (211)"),
      cv("1.09", 2),
      idc("4.0", 1),
      ["corr(prompt, output)", "-0.11", (s) => fixed(s.lengthCorrelation, 2)],
    ],
  },
  mooncake: {
    "conversation_trace.jsonl.gz": [
      rows("12031"),
      rate("3.40"),
      lengths("prompt", "964/6909/27367/85401/126195 (12035)"),
      lengths("output", "24/350/597/1120/2000 (343)"),
      ["distinct timestamps", "1180", (s) => String(s.distinctArrivals)],
      prefix("288500, 182790, 36.6 %"),
    ],
    "synthetic_trace.jsonl.gz": [
      rows("3993"),
      rate("3.91"),
      lengths("prompt", "30/11587/38615/66458/191378 (15325)"),
      lengths("output", "4/69/389/769/893 (149)"),
      cv("1.01", 2),
      prefix("121877, 43924, 64.0 %"),
    ],
  },
};

/**
 * Request traces read from the published files have their published statistics. Takes the folder that holds the sets,
 * or the folder of one set.
 */
export const requestsCheck = {
  name: "requests",
  folders: Object.keys(published),
  run: async (folder: string): Promise<CheckLine[]> => {
    const lines: CheckLine[] = [];
    for (const [set, files] of Object.entries(published)) {
      if (basename(folder) in published && basename(folder) !== set) continue;
      const inside = basename(folder) === set ? folder : join(folder, set);
      for (const [file, statistics] of Object.entries(files)) {
        const summary = summariseRequests(await loadRequests("auto", join(inside, file)));
        for (const [name, expected, found] of statistics) {
          const value = found(summary);
          lines.push({ name: `${set}/${file}: ${name}`, expected, found: value, ok: value === expected });
        }
      }
    }
    return lines;
  },
};

function fixed(value: number | null, digits: number): string {
  return value === null ? "none" : value.toFixed(digits);
}
