import { own } from "../../core/own.ts";
import type { ExchangeChooser } from "./exchange-options.ts";
import { sglangExchange } from "./sglang.ts";
import { tensorrtLlmExchange } from "./tensorrt-llm.ts";
import { vllmExchange } from "./vllm.ts";

const choosers: Readonly<Record<string, ExchangeChooser>> = {
  vllm: vllmExchange,
  sglang: sglangExchange,
  "tensorrt-llm": tensorrtLlmExchange,
};

/** How an engine chooses its exchange, by the id of its profile; null for engines without a choice. */
export function exchangeChooser(engineId: string): ExchangeChooser | null {
  return own(choosers, engineId) ?? null;
}

/** Engines that have an option, by id. */
export function enginesWith(key: string): string[] {
  return Object.entries(choosers).flatMap(([id, { keys }]) => ((keys as readonly string[]).includes(key) ? [id] : []));
}
