import { storageFormats } from "../../../core/dtype.ts";
import { InfeasibleError } from "../../../core/errors.ts";
import { personLengths } from "../lengths.ts";
import { deviceLines, engineLines, modelLines } from "../sections.ts";
import type { Draft, Probe, Site, Template } from "../template.ts";

/** What says where the experts are, to each engine that can keep some of them in host memory. */
interface Split {
  /** Words for so many layers (llama.cpp) or experts of a layer (KTransformers) off the device. */
  flags(off: number): string;
  /** The most that can be off the device. */
  most(site: Site): number;
  /** What is off the device, in words. */
  title(off: number): string;
}

const expertsOf = ({ spec }: Site): number =>
  Math.max(...spec.layers.map(({ feedForward }) => (feedForward.kind === "moe" ? feedForward.experts : 0)));

const splits: Readonly<Record<string, (site: Site) => Split>> = {
  "llama.cpp": () => ({
    flags: (off) => `--n-cpu-moe ${off}`,
    most: ({ spec }) => spec.layers.length,
    title: (off) =>
      off === 0
        ? "all experts on the device"
        : `experts of the first ${off === 1 ? "layer" : `${off} layers`} in host memory`,
  }),
  ktransformers: (site) => {
    const experts = expertsOf(site);
    return {
      flags: (off) => `--kt-num-gpu-experts ${experts - off}`,
      most: () => experts,
      title: (off) => `${experts - off} of ${experts} experts of a layer on the device`,
    };
  },
};

/** Formats of a Q4_K_M file, nearly. A release that is smaller stays as it is. */
const quantised = "{ experts: q4_k, attention: q8_0, embedding: q8_0, head: q8_0 }";
const releasedSmall = "{ attention: q8_0, embedding: q8_0, head: q8_0 }";
const releasedBitsMax = 5;

/** One GPU with offload: what does not fit on it lies in host memory. */
export const offload: Template = {
  title: "One GPU with offload: a model that is larger than the device, experts in host memory",
  question: "Will this model run on this machine, at how many tokens a second, and which experts stay on the GPU?",
  next: [
    ["moecast offload FILE", "expert caches, their sizes and prefetchers, compared"],
    ["--set policy.offload.flags=FLAGS", "another split"],
    ["--set hardware.hostLink.bandwidth=12GB/s", "a slower slot"],
    ["--set traffic.arrivals.maxConcurrency=2", "two people (without --rate)"],
  ],
  defaults: { model: "qwen3-30b-a3b", system: "rtx4070-desktop", name: "offload" },
  engines: ["llama.cpp", "ktransformers"],
  requests: 60,
  contextTokens: 4096,
  defaultLoad: "onePerson",
  lengths: personLengths,
  routing: "{ kind: parametric, rows: 4000 }",
  limits: { percentile: 50, ttftMs: 1000, tpotMs: 100 },
  async draft(site, probe) {
    const split = splits[site.engine]?.(site);
    if (split === undefined)
      throw new InfeasibleError(
        `${site.engine} keeps no experts in host memory: choose ${Object.keys(splits).join(" or ")}`,
      );
    return (await leastOff(site, split, probe)).draft;
  },
  first: (path) => ["run", path],
};

/** The least that has to be off the device: what fits with less fits with more, up to the host's memory. */
async function leastOff(site: Site, split: Split, probe: Probe): Promise<{ readonly draft: Draft }> {
  const tried = async (off: number) => {
    const draft = draftOf(site, split, off);
    return { draft, problem: await probe(draft) };
  };
  let low = 0;
  let high = split.most(site);
  let best = await tried(low);
  if (best.problem === null) return best;
  const first = best.problem;
  best = await tried(high);
  if (best.problem !== null)
    throw new InfeasibleError(
      `${site.spec.name} does not run under ${site.engine} on ${site.systemName} (${site.system}). ` +
        `${split.title(high)}: ${best.problem}${best.problem === first ? "" : `; ${split.title(0)}: ${first}`}`,
    );
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const one = await tried(middle);
    if (one.problem === null) [high, best] = [middle, one];
    else low = middle;
  }
  return best;
}

function draftOf(site: Site, split: Split, off: number): Draft {
  const dtypes = storageFormats[site.spec.formats.experts].bitsPerValue <= releasedBitsMax ? releasedSmall : quantised;
  return {
    title: split.title(off),
    sections: [
      ...modelLines(site, dtypes),
      ...deviceLines(site, site.devicesPerNode),
      ...engineLines(site, offload.contextTokens, 1),
      "  maxNumBatchedTokens: 512",
      "",
      "policy:",
      "  offload:",
      "    kind: static",
      `    flags: ${split.flags(off)}`,
    ],
  };
}
