import type { EngineProfile } from "../engine-profile.ts";

/** Where a version of an engine is published. */
export interface Release {
  readonly version: string;
  /** Container image with its tag; null where it runs without one. */
  readonly image: string | null;
  /** What `pip install` takes; empty where it is no Python package. */
  readonly packages: readonly string[];
}

interface Channel {
  /** Image of a version whose tag is `v` and the version, or as `tag` says. */
  readonly image?: string;
  readonly tag?: (version: string, device: string) => string;
  readonly packages?: readonly string[];
  /** The release of a series that a profile names without its last number. */
  readonly series?: Readonly<Record<string, string>>;
  /** Versions that name a release; default those that begin with a number. */
  readonly releases?: RegExp;
}

const numbered = /^\d+\.\d+\.\d+/;

/**
 * Images and packages of the engines. vLLM: docs/deployment/docker.md; for ROCm vllm/vllm-openai-rocm, named there too. vLLM Ascend:
 * docs/source/installation.md. SGLang: docs/get_started/install.md; images for ROCm are built for a generation of devices
 * (docker/rocm.Dockerfile). TensorRT-LLM: docs/source/commands/trtllm-serve. llama.cpp: releases are builds, such as b9603.
 * KTransformers: doc/en/kt-kernel/experts-sched-Tutorial.md, kt-kernel/README.md; its README names 0.6.1 as the release of 0.6.
 */
const channels: Readonly<Record<string, Channel>> = {
  vllm: { image: "vllm/vllm-openai", packages: ["vllm"], series: { "0.19": "0.19.0" } },
  "vllm-rocm": { image: "vllm/vllm-openai-rocm", series: { "0.19": "0.19.0" } },
  "vllm-ascend": { image: "quay.io/ascend/vllm-ascend", packages: ["vllm-ascend"], series: { "0.9": "0.9.1" } },
  sglang: { image: "lmsysorg/sglang", packages: ["sglang"] },
  "sglang-rocm": {
    image: "lmsysorg/sglang",
    tag: (version, device) => `v${version}-rocm700-${device.startsWith("mi35") ? "mi35x" : "mi30x"}`,
  },
  "tensorrt-llm": {
    image: "nvcr.io/nvidia/tensorrt-llm/release",
    tag: (version) => version,
    packages: ["tensorrt-llm"],
  },
  "llama.cpp": { releases: /^b\d+$/ },
  ktransformers: { packages: ["kt-kernel", "sglang-kt"], series: { "0.6": "0.6.1" } },
};

/** What a registry takes as a tag. */
const tagLike = /^\w[\w.-]{0,127}$/;

/**
 * The release of a version of an engine for a device, by its id; null where the version names none that is published. Other words than numbers, such as
 * `nightly-dev`, are tags of images as they stand.
 */
export function releaseOf(engine: string, version: string, device: string): Release | null {
  const channel = channels[engine];
  if (channel === undefined) return null;
  const { image, tag = (named: string) => `v${named}`, packages = [], series = {}, releases } = channel;
  const bare = version.replace(/^v(?=\d)/, "");
  const full = Object.hasOwn(series, bare) ? series[bare]! : bare;
  if (!tagLike.test(full)) return null;
  if (releases !== undefined) return releases.test(full) ? { version: full, image: null, packages: [] } : null;
  if (numbered.test(full))
    return {
      version: full,
      image: image === undefined ? null : `${image}:${tag(full, device)}`,
      packages: packages.map((name) => `${name}==${full}`),
    };
  if (/^\d/.test(full) || image === undefined) return null;
  return { version: full, image: `${image}:${full}`, packages: [] };
}

/** The newest version that a profile knows: of those that it was fitted on, else its own. */
export function newestVersion({ versions, version }: Pick<EngineProfile, "versions" | "version">): string {
  const known = Object.keys(versions).filter((name) => numbered.test(name));
  return known.reduce((newest, name) => (isNewer(name, newest) ? name : newest), known[0] ?? version);
}

/** By numbers; a release candidate comes before its release, a further build after it. */
function isNewer(one: string, other: string): boolean {
  const [a, b] = [one, other].map((version) => {
    const numbers = version
      .match(/^\d+(?:\.\d+)*/)![0]
      .split(".")
      .map(Number);
    const further = /\.post(\d+)/.exec(version);
    const candidate = /rc(\d+)/.exec(version);
    return [
      ...numbers.slice(0, 3),
      candidate === null ? Number.POSITIVE_INFINITY : Number(candidate[1]),
      Number(further?.[1] ?? 0),
    ];
  });
  const at = a!.findIndex((part, i) => part !== b![i]);
  return at >= 0 && a![at]! > b![at]!;
}
