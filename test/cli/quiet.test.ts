import { join } from "node:path";
import { expect, test } from "vitest";
import { inStages } from "../../src/cli/stages.ts";
import { scratch } from "./command.ts";
import { moecast } from "./in-process.ts";

const { folder } = scratch();
const trace = join(import.meta.dirname, "../../scenarios/traces/gpt-oss-20b.safetensors");

/** Commands over traces, with inputs that take a moment. */
const commands: readonly (readonly string[])[] = [
  ["trace", "synth", "--published", "qwen3-30b-a3b", "--tokens", "50", "-o", join(folder, "synth.safetensors")],
  ["trace", "stats", trace],
  ["trace", "stats", trace, "--diagnose", "eplb"],
  ["trace", "convert", trace, "--to", "csv", "-o", join(folder, "routing.csv")],
  ["trace", "prefetch", trace, "--prefetcher", "layer-markov"],
];

test.each(commands.map((words) => ({ words })))(
  "$words: -q changes nothing on stdout, and stderr is silent with it",
  async ({ words }) => {
    const plain = await moecast(words);
    const quiet = await moecast([...words, "-q"]);
    expect([plain.code, quiet.code, quiet.err]).toEqual([0, 0, ""]);
    expect(quiet.out).toBe(plain.out);
  },
  30_000,
);

test.each(["trace import", "trace stats", "trace mix", "trace prefetch", "trace convert", "trace synth", "model bits"])(
  "%s has -q",
  async (name) => {
    expect((await moecast([...name.split(" "), "--help"])).out).toContain("-q, --quiet");
  },
);

test("a stage is named on a terminal, the line is gone when the work ends or fails, and quiet says nothing", async () => {
  const said: string[] = [];
  const io = { err: (text: string) => void said.push(text), progress: true, progressWidth: () => 80 } as never;
  await inStages(io, "a\nb", {}, async (say) => say("measuring"));
  expect(said.join("")).toContain("measuring");
  expect(said.join("")).not.toContain("\n");
  const last = said.at(-1);
  const failing = inStages(io, "a", {}, () => Promise.reject(new Error("no")));
  await expect(failing).rejects.toThrow("no");
  expect(said.at(-1)).toBe(last);
  const before = said.length;
  await inStages(io, "a", { quiet: true }, async (say) => say("measuring"));
  expect(said.length).toBe(before);
});
