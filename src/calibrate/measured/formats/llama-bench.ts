import type { Json } from "../../../core/json.ts";
import type { JsonView } from "../json-view.ts";
import type { StatedDeployment } from "../measured-benchmark.ts";
import { type BenchmarkFormat, type BenchmarkReading, statedMetrics } from "./benchmark-format.ts";

/** What every test states. */
export const llamaBenchColumns = ["n_prompt", "n_gen", "avg_ts"] as const;

/**
 * llama-bench: one object a test, tokens per second over repetitions. A test computes a prompt (`n_prompt`) or generates
 * (`n_gen`) behind `n_depth` tokens, one sequence at a time. The time of a prompt is its TTFT without what a server adds; that
 * of a generated token is TPOT.
 */
export const llamaBench: BenchmarkFormat = {
  description: "llama-bench (-o json, jsonl, csv or md)",

  detects: (document) => llamaBenchColumns.every((key) => document.peek(key) !== undefined),

  read(document) {
    const prompt = document.get("n_prompt").whole(0) ?? 0;
    const output = document.get("n_gen").whole(0) ?? 0;
    const depth = document.get("n_depth").whole(0) ?? 0;
    const speed = document.get("avg_ts").number();
    if (speed === 0) document.get("avg_ts").problem("tokens per second above 0", 0);
    const msPerToken = speed === null || speed === 0 ? null : 1e3 / speed;
    if (prompt > 0 && output > 0) {
      // Prompt and output together: what is stated is neither of the two.
      document.note(`pp${prompt}+tg${output} counts prompt and output tokens together: E2E alone follows`);
    }
    return [readTest(document, { prompt, output, depth, msPerToken })];
  },
};

interface Test {
  readonly prompt: number;
  readonly output: number;
  readonly depth: number;
  readonly msPerToken: number | null;
}

function readTest(document: JsonView, { prompt, output, depth, msPerToken }: Test): BenchmarkReading {
  const mean = (tokens: number) => (msPerToken === null || tokens === 0 ? null : { mean: tokens * msPerToken });
  return {
    deployment: {
      model: document.get("model_type").text(),
      parameters: document.get("model_n_params").number(),
      ...devicesOf(document),
      engine: "llama.cpp",
    },
    concurrency: 1,
    requests: null,
    metrics: statedMetrics({
      ttft: output === 0 ? mean(prompt) : null,
      tpot: prompt === 0 ? mean(Math.min(1, output)) : null,
      itl: null,
      e2e: prompt > 0 && output > 0 ? mean(prompt + output) : null,
    }),
    meanPromptTokens: Math.max(1, prompt + depth),
    // A prompt alone takes as long whatever would follow.
    meanOutputTokens: output === 0 ? null : output,
  };
}

/** GPUs as it lists them, parted by commas: tests run on all of them, unless layers are not split. */
function devicesOf(document: JsonView): Partial<StatedDeployment> {
  const named = document.get("gpu_info").text()?.trim() ?? "";
  if (named === "") return {};
  const [first, ...others] = named.split(/\s*,\s*/);
  const alike = others.every((other) => other === first);
  const devices = document.peek("split_mode") === "none" ? 1 : 1 + others.length;
  return { device: alike ? (first ?? null) : named, devices };
}

/** Rows of its table, as `| qwen3moe 30B.A3B Q4_K - Medium | ... | pp512 @ d4096 | 5120.00 ± 10.00 |`. */
export function llamaBenchRows(text: string): Json[] | null {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const at = lines.findIndex((line) => /^\|\s*model\s*\|.*\|\s*test\s*\|\s*t\/s\s*\|$/.test(line));
  if (at < 0) return null;
  const cellsOf = (line: string) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
  const header = cellsOf(lines[at]!);
  return lines.slice(at + 1).flatMap((line) => {
    if (!line.startsWith("|") || /^\|[\s:|-]+$/.test(line)) return [];
    const cells = cellsOf(line);
    const row = Object.fromEntries(header.map((name, i) => [name, cells[i] ?? ""]));
    const test = /^(?:pp(\d+))?\+?(?:tg(\d+))?(?:\s*@\s*d(\d+))?$/.exec(row["test"] ?? "");
    const count = (digits: string | undefined) => Number(digits ?? 0);
    return [
      {
        model_type: row["model"] ?? "",
        ...parametersOf(row["params"] ?? ""),
        n_prompt: count(test?.[1]),
        n_gen: count(test?.[2]),
        n_depth: count(test?.[3]),
        avg_ts: Number.parseFloat(row["t/s"] ?? "") || 0,
      },
    ];
  });
}

const billions = { K: 1e3, M: 1e6, B: 1e9, T: 1e12 } as const;

function parametersOf(cell: string): { model_n_params?: number } {
  const found = /^([\d.]+) ([KMBT])$/.exec(cell);
  return found === null ? {} : { model_n_params: Number(found[1]) * billions[found[2] as keyof typeof billions] };
}
