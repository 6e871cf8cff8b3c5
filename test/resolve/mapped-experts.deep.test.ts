import { describe, expect, test } from "vitest";
import { InfeasibleError, InvalidInputError } from "../../src/core/errors.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";

const gib = 2 ** 30;

/** OLMoE in bf16: 12 GiB of experts, half of them in layers that the flags leave to the host. */
const scenario = (flags: string, memory: string, more = "", hardware = "") => `version: 1
name: mapped
model: { id: olmoe-1b-7b }
hardware: { system: rtx4090-desktop, tiers: { ddr: { capacity: ${memory} } }${hardware} }
engine: { id: llama.cpp, maxModelLen: 256, maxNumSeqs: 1, maxNumBatchedTokens: 64 }
traffic: { kind: generated, requests: 2, arrivals: { kind: closed, maxConcurrency: 1 }, isl: { kind: fixed, tokens: 8 }, osl: { kind: fixed, tokens: 4 } }
routing: { kind: parametric, rows: 100, skew: 0.8 }
policy:
  offload: { kind: static, flags: '${flags}'${more} }
`;
const noFiles = { readText: () => Promise.reject(new Error("no file was expected")) };
const resolve = async (...parts: Parameters<typeof scenario>) =>
  (await resolveScenario(parseScenario(scenario(...parts), "mapped.yaml"), noFiles)).config.offload!;

describe("experts that llama.cpp leaves to the host", () => {
  test("lie in memory where all experts fit there", async () => {
    const offload = await resolve("--n-cpu-moe 8", "16GiB");
    expect(offload).toMatchObject({ hostBytes: 16 * gib });
    expect(offload).not.toHaveProperty("pageCache");
  });

  test("lie in pages of the model's file where they do not, in the memory that is for experts", async () => {
    expect(await resolve("--n-cpu-moe 8", "8GiB")).toMatchObject({ hostBytes: 0, pageCache: "rest" });
    const some = await resolve("--n-cpu-moe 8", "16GiB", ", hostMemory: 6GiB");
    expect(some).toMatchObject({ hostBytes: 0, pageCache: 6 * gib });
    // And wherever a scenario says so.
    expect(await resolve("--cpu-moe", "16GiB", ", pageCache: rest")).toMatchObject({ hostBytes: 0, pageCache: "rest" });
    const both = await resolve("--cpu-moe", "16GiB", ", pageCache: rest, hostMemory: 1GiB");
    expect(both).toMatchObject({ hostBytes: gib, pageCache: "rest" });
  });

  test("have to fit where the engine reads them before it starts: those of the host alone", async () => {
    expect(await resolve("--n-cpu-moe 8 --no-mmap", "8GiB")).not.toHaveProperty("pageCache");
    for (const flags of ["--n-cpu-moe 8 --no-mmap", "--n-cpu-moe 8 --mlock"]) {
      const refused = resolve(flags, "4GiB");
      await expect(refused).rejects.toThrow(InfeasibleError);
      await expect(refused).rejects.toThrow(/policy.offload.flags: .* 6 GiB needed, 4 GiB available/);
    }
  });

  test("are not said to be in more memory than there is", async () => {
    await expect(resolve("--cpu-moe", "8GiB", ", hostMemory: 9GiB")).rejects.toThrow(
      /mapped.yaml:9:\d+: policy.offload.hostMemory: expected at most the 8 GiB/,
    );
  });

  test("are refused in pages on several sockets, with the flags' place", async () => {
    const refused = resolve("--cpu-moe", "8GiB", "", ", sockets: { count: 2, bandwidth: 40GB/s }");
    await expect(refused).rejects.toThrow(InvalidInputError);
    await expect(refused).rejects.toThrow(/mapped.yaml:9:\d+: policy.offload.flags: .*which socket/);
  });
});
