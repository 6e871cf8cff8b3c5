import type { Lengths } from "./template.ts";

/** The Azure conversation trace of 2023 (19,366 requests), by mean and median. */
export const azureLengths: Lengths = {
  isl: { mean: 1155, p50: 1020, max: 14_000 },
  osl: { mean: 211, p50: 129, max: 1000 },
  source: "mean and median of the Azure conversation trace of 2023",
};

/** One person who chats: short prompts, answers of some paragraphs. */
export const personLengths: Lengths = {
  isl: { mean: 200, p50: 120, max: 2048 },
  osl: { mean: 120, p50: 80, max: 1000 },
  source: "assumed: short prompts, answers of some paragraphs",
};

/** Long prompts, as pools for prefill and decode are made for. */
export const longPromptLengths: Lengths = {
  isl: { mean: 12_035, p50: 6909, max: 30_000 },
  osl: { mean: 343, p50: 320, max: 2000 },
  source: "mean and median of the Mooncake conversation trace, cut off to fit the context",
};

/** The same lengths for sequences of at most `contextTokens`: means shrink with them where they have to. */
export function withinContext({ isl, osl, source }: Lengths, contextTokens: number): Lengths {
  const room = Math.floor((contextTokens * 7) / 8);
  const cut = (one: Lengths["isl"], max: number): Lengths["isl"] => {
    if (max >= one.max) return one;
    const mean = Math.min(one.mean, Math.floor(max / 2));
    return { mean, p50: Math.min(one.p50, Math.floor((mean * one.p50) / one.mean)), max };
  };
  const answers = cut(osl, Math.min(osl.max, Math.floor(contextTokens / 4)));
  const prompts = cut(isl, Math.min(isl.max, room - answers.max));
  const shorter = prompts.mean < isl.mean || answers.mean < osl.mean;
  return { isl: prompts, osl: answers, source: shorter ? `${source}, shortened to the model's context` : source };
}
