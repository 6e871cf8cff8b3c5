import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRoutingTrace, type RoutingTraceFile } from "../../src/trace/container/open-trace.ts";
import { importTrace } from "../../src/trace/formats/import-trace.ts";
import type { ImportOptions } from "../../src/trace/formats/importer.ts";

/** Imports recorded routing into a temporary container and hands it to `use`. */
async function imported<T>(
  paths: readonly string[],
  options: ImportOptions,
  use: (trace: RoutingTraceFile) => Promise<T>,
): Promise<T> {
  const work = await mkdtemp(join(tmpdir(), "moecast-check-"));
  try {
    const output = join(work, "trace.safetensors");
    await importTrace("auto", paths, output, options);
    const trace = await openRoutingTrace(output);
    try {
      return await use(trace);
    } finally {
      await trace.close();
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Sub-folders of the data folder that hold the routing sets below. */
export const routingFolders = ["mixtral_routing", "flame_moe_routing", "qwen15_moe_routing"];

/** The recorded sets by name; each hands the opened trace to `use`. */
export const recordedRouting = {
  "mixtral humaneval": (folder, use) =>
    imported([join(folder, "mixtral_routing/humaneval_2_routing.jsonl.gz")], { experts: 8 }, use),
  "mixtral gsm8k": (folder, use) =>
    imported([join(folder, "mixtral_routing/gsm8k_2_routing.jsonl.gz")], { experts: 8 }, use),
  mixtral: (folder, use) =>
    imported(
      ["humaneval_2", "gsm8k_2"].map((set) => join(folder, `mixtral_routing/${set}_routing.jsonl.gz`)),
      { experts: 8 },
      use,
    ),
  flame: (folder, use) =>
    imported([join(folder, "flame_moe_routing/encoder_32x64.npz")], { experts: 64, interleaved: 8 }, use),
  qwen15: async (folder, use) => {
    const set = join(folder, "qwen15_moe_routing");
    const logs = (await readdir(set)).filter((name) => name.endsWith(".jsonl.gz"));
    return imported(
      logs.map((name) => join(set, name)),
      { experts: 60 },
      use,
    );
  },
} satisfies Record<string, <T>(folder: string, use: (trace: RoutingTraceFile) => Promise<T>) => Promise<T>>;
