import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../src/core/errors.ts";
import { isSourced } from "../../src/core/sourced.ts";
import { engineIds, engineNamed, engineProfileNamed, parseEngineProfile } from "../../src/engine/catalogue.ts";
import { type Handover, recomputedPromptTokens } from "../../src/engine/handover/handover.ts";

describe("how engines hand requests over", () => {
  const handing = engineIds.filter((id) => engineNamed(id).handover !== null);

  test("engines without a way to do it have none", () => {
    expect(engineIds.filter((id) => !handing.includes(id))).toEqual(["llama.cpp", "ktransformers"]);
  });

  test.each(handing)("%s says where each of its figures is from", (id) => {
    const stated = Object.values(engineProfileNamed(id).handover ?? {});
    expect(stated).toHaveLength(5);
    expect(stated.every(isSourced)).toBe(true);
  });

  test.each(["vllm", "sglang"])("builds of %s for other platforms do as it does", (id) => {
    for (const build of engineIds.filter((other) => other.startsWith(`${id}-`)))
      expect(engineNamed(build).handover).toEqual(engineNamed(id).handover);
  });

  test("a decode side that samples the first token itself computes the last prompt token", () => {
    const of = (id: string) => recomputedPromptTokens(engineNamed(id).handover!);
    expect([of("vllm"), of("sglang"), of("tensorrt-llm")]).toEqual([1, 0, 0]);
    const early: Handover = { ...engineNamed("sglang").handover!, firstToken: "prefill" };
    expect(recomputedPromptTokens(early)).toBe(0);
  });

  test.each([
    ["firstToken", "decode"],
    ["reserves", "never"],
    ["transfer", "blocks"],
    ["reservedOutputTokens", -1],
    ["reservedOutputTokens", "some"],
    ["tokenisesAgain", "yes"],
  ])("a profile of one's own is refused with %s %j", (key, value) => {
    const profile = structuredClone(engineProfileNamed("vllm")) as unknown as {
      handover: Record<string, { value: unknown }>;
    };
    profile.handover[key]!.value = value;
    expect(() => parseEngineProfile(profile, "own.json")).toThrow(InvalidInputError);
    expect(() => parseEngineProfile(profile, "own.json")).toThrow(key);
  });
});
