import { ktransformers } from "./ktransformers.ts";
import type { Launcher } from "./launch.ts";
import { llamaCpp } from "./llama-cpp.ts";
import { sglang } from "./sglang.ts";
import { tensorrtLlm } from "./tensorrt-llm.ts";
import { vllm } from "./vllm.ts";

/** How engines are started, one line each. */
export const launchers: readonly Launcher[] = [vllm, sglang, tensorrtLlm, llamaCpp, ktransformers];

/** The launcher of an engine by the id of its profile; undefined where there is none. */
export const launcherOf = (engine: string): Launcher | undefined =>
  launchers.find(({ engines }) => engines.includes(engine));
