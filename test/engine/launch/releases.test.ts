import { expect, test } from "vitest";
import { engineIds, engineNamed } from "../../../src/engine/catalogue.ts";
import { newestVersion, releaseOf } from "../../../src/engine/launch/releases.ts";

test("a version is pinned to one image or to packages", () => {
  expect(releaseOf("vllm", "0.19.0", "h100")).toEqual({
    version: "0.19.0",
    image: "vllm/vllm-openai:v0.19.0",
    packages: ["vllm==0.19.0"],
  });
  expect(releaseOf("sglang-rocm", "0.5.9", "mi355x")?.image).toBe("lmsysorg/sglang:v0.5.9-rocm700-mi35x");
  expect(releaseOf("sglang-rocm", "0.5.9", "mi300x")?.image).toBe("lmsysorg/sglang:v0.5.9-rocm700-mi30x");
  expect(releaseOf("tensorrt-llm", "1.3.0rc5", "b200")?.image).toBe("nvcr.io/nvidia/tensorrt-llm/release:1.3.0rc5");
  expect(releaseOf("sglang", "nightly-dev-20260216-d3bae71e", "b200")?.image).toBe(
    "lmsysorg/sglang:nightly-dev-20260216-d3bae71e",
  );
  expect(releaseOf("llama.cpp", "b9603", "rtx4090")).toEqual({ version: "b9603", image: null, packages: [] });
});

test("words that name no release are none", () => {
  for (const version of ["0.19.0; rm -rf /", "$(id)", "a b", "", "-x", "0.7", "x".repeat(200)])
    expect(releaseOf("vllm", version, "h100")).toBeNull();
  expect(releaseOf("llama.cpp", "2026-01", "rtx4090")).toBeNull();
  expect(releaseOf("unknown", "1.0.0", "h100")).toBeNull();
});

test("the newest version comes last by numbers, a release behind its candidates and before its later builds", () => {
  const of = (...versions: string[]) =>
    newestVersion({
      version: "0.1",
      versions: Object.fromEntries(versions.map((name) => [name, { kernels: 1, overheads: 1, prefill: 1 }])),
    });
  expect(of("0.9.0", "0.10.0", "nightly-dev")).toBe("0.10.0");
  expect(of("1.2.0rc6.post2", "1.2.0rc6", "1.2.0rc5")).toBe("1.2.0rc6.post2");
  expect(of("1.2.0rc6.post2", "1.2.0")).toBe("1.2.0");
  expect(of("1.2.0", "1.2.0.post1")).toBe("1.2.0.post1");
  expect(of("nightly-dev")).toBe("0.1");
});

test.each(engineIds.filter((id) => id !== "llama.cpp"))("%s: the newest version of the profile is pinned", (id) => {
  const release = releaseOf(id, newestVersion(engineNamed(id)), "any");
  expect(release?.image ?? release?.packages[0]).toBeDefined();
});
