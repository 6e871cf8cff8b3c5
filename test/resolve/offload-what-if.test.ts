import { expect, test } from "vitest";
import { engineIds, engineNamed } from "../../src/engine/catalogue.ts";
import { offloadWhatIf } from "../../src/resolve/offload-what-if.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { minimal } from "../scenario/example.ts";

function said(engine: string, offload: string): string[] {
  const text = `${minimal.replace("{ kind: uniform }", "{ kind: parametric, skew: 0.5 }")}policy: { offload: ${offload} }\n`;
  const { policy } = parseScenario(text, "test.yaml");
  return offloadWhatIf(engineNamed(engine), policy.offload!).map(({ detail, fidelity, topic }) => {
    expect([fidelity, topic]).toEqual(["assumed", "offload"]);
    return detail;
  });
}

const lru = "{ kind: lru, slots: 16 }";

test.each(engineIds)("an expert cache under %s is a what-if, as its profile says", (engine) => {
  expect(engineNamed(engine).offload).toMatchObject({ cache: false });
  expect(said(engine, lru)).toEqual([expect.stringMatching(/^what-if: .* has no expert cache, but /)]);
  expect(said(engine, "{ kind: static, slots: 16 }")).toHaveLength(1);
});

test("a split that an engine makes itself is none", () => {
  expect(said("ktransformers", "{ kind: static, slots: 16, miss: { kind: host } }")).toEqual([]);
  expect(said("ktransformers", "{ kind: lru, slots: 0, miss: { kind: host } }")).toEqual([]);
  expect(said("llama.cpp", "{ kind: lru, slots: 0, miss: { kind: host, deviceFrom: 32 } }")).toEqual([]);
  // It places experts of whole layers, not some of each; KTransformers has no cache that follows the tokens.
  expect(said("llama.cpp", "{ kind: static, slots: 16, miss: { kind: host, deviceFrom: 32 } }")).toHaveLength(1);
  expect(said("ktransformers", "{ kind: lru, slots: 16, miss: { kind: host } }")).toHaveLength(1);
  expect(said("vllm", "{ kind: lru, slots: 0, miss: { kind: host } }")).toHaveLength(1);
});

test("deferral is KTransformers' up to what it recommends", () => {
  expect(said("ktransformers", "{ kind: static, slots: 16, miss: { kind: deferral, experts: 3 } }")).toEqual([]);
  expect(said("ktransformers", "{ kind: static, slots: 16, miss: { kind: deferral, experts: 5 } }")).toHaveLength(1);
  expect(said("llama.cpp", "{ kind: static, slots: 0, miss: { kind: deferral } }")).toHaveLength(1);
});

test("llama.cpp's habit of computing prompts on the device is told where a scenario does not state it", () => {
  expect(said("llama.cpp", "{ kind: lru, slots: 0, miss: { kind: host } }")).toEqual([
    expect.stringContaining("policy.offload.miss.deviceFrom: 32"),
  ]);
});

test("an engine whose profile does not tell is named", () => {
  const { policy } = parseScenario(
    `${minimal.replace("{ kind: uniform }", "{ kind: parametric, skew: 0.5 }")}policy: { offload: ${lru} }\n`,
    "t",
  );
  expect(offloadWhatIf({ ...engineNamed("vllm"), offload: null }, policy.offload!)[0]?.detail).toContain(
    "does not say",
  );
});
