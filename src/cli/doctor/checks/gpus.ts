import { execFile } from "node:child_process";
import type { Check, Finding } from "../check.ts";

/** A tool that lists GPUs: its words, and what a line of its output says. */
interface GpuTool {
  readonly program: string;
  readonly words: readonly string[];
  read(output: string): readonly string[];
}

const tools: readonly GpuTool[] = [
  {
    program: "nvidia-smi",
    words: ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"],
    read: (output) =>
      output
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== ""),
  },
];

/** A driver that hangs is not waited for any longer. */
const patienceMs = 3000;

/** Lines of a report; a machine has a few GPUs. */
const linesMax = 16;

function outputOf({ program, words }: GpuTool): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, [...words], { timeout: patienceMs, maxBuffer: 1 << 16, windowsHide: true }, (error, out) =>
      resolve(error === null ? out : null),
    );
  });
}

/** GPUs that a tool of their vendor names. None are needed. */
export const gpus: Check = {
  title: "GPUs",
  look: async () => {
    const findings: Finding[] = [];
    for (const tool of tools) {
      const lines = tool.read((await outputOf(tool)) ?? "").slice(0, linesMax);
      for (const [i, text] of lines.entries()) findings.push({ topic: `GPU ${i}`, state: "ok", text });
    }
    if (findings.length > 0) return findings;
    return [
      {
        topic: "GPUs",
        state: "ok",
        text: `none named by ${tools.map(({ program }) => program).join(", ")}; none are needed`,
      },
    ];
  },
};
