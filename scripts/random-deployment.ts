import { RandomStream } from "../src/core/random.ts";
import { engineIds } from "../src/engine/catalogue.ts";
import { systemIds } from "../src/hardware/named-profiles.ts";
import { catalogue } from "../src/models/catalogue.ts";
import { livePolicyNames } from "../src/policy/cache/caches.ts";
import { missPolicies } from "../src/policy/miss/miss-policies.ts";
import { placements } from "../src/policy/placement/placements.ts";
import { prefetchers } from "../src/policy/prefetch/prefetchers.ts";
import { routers } from "../src/policy/router/routers.ts";

/** Words that name nothing, among them those that every object of the language inherits. */
const strangeWords = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf", "length", "*a", "none", ""];

/**
 * A scenario drawn at random over the whole catalogue, hardware, layouts, traffic and policies, by seed and index. Most
 * values are such as people write; a few are extremes of what the schema allows, or words that name nothing. Whatever it
 * is, it must end in a forecast or in an error that is meant for people.
 */
export function randomDeployment(seed: number, index: number): string {
  const stream = new RandomStream(seed, `deployment ${index}`);
  const next = () => stream.uniform();
  const oneOf = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)]!;
  const chance = (share: number) => next() < share;
  const maybe = (share: number, text: () => string) => (chance(share) ? text() : "");
  const extreme = <T>(usual: readonly T[], rare: readonly T[]): T => (chance(0.03) ? oneOf(rare) : oneOf(usual));
  const degree = () => extreme([1, 1, 2, 4, 8], [3, 12, 16]);
  const id = (known: readonly string[]) => JSON.stringify(extreme(known, strangeWords));

  const model = [
    `id: ${id(Object.keys(catalogue))}`,
    maybe(0.4, () => `dtypes: { experts: ${oneOf(["int4", "fp8", "bf16", "nvfp4", "mxfp4"])} }`),
    maybe(0.2, () => `kvCacheDtype: ${extreme(["fp8", "bf16"], ["constructor", "int4"])}`),
  ];
  const hardware = [
    `system: ${id(systemIds)}`,
    maybe(0.2, () => `devicesPerNode: ${extreme([1, 2, 4, 8], [72, 1024])}`),
    maybe(0.1, () => `deviceMemory: ${extreme(["16GiB", "64GiB", "192GB"], ["1B", "1e15B"])}`),
    maybe(0.1, () => `hostLink: { bandwidth: ${extreme(["12GB/s", "64GB/s"], ["1B/s", "1e30B/s"])} }`),
    maybe(0.1, () => `sockets: { count: ${extreme([1, 2, 4], [16])}, bandwidth: ${extreme(["40GB/s"], ["1B/s"])} }`),
    maybe(0.1, () => `tiers: { ddr: { capacity: ${extreme(["64GiB", "1TiB"], ["1B", "1e15B"])}, bandwidth: 50GB/s } }`),
    maybe(0.05, () => `tiers: { nvme: { capacity: 2TB, bandwidth: ${extreme(["3GB/s"], ["1B/s"])}, latency: 80us } }`),
  ];
  const engine = [
    `id: ${id(engineIds)}`,
    maybe(0.3, () => `maxNumSeqs: ${extreme([1, 8, 64, 256], [65536])}`),
    maybe(0.4, () => `maxModelLen: ${extreme([2048, 8192, 32768], [1, 2_000_000_000])}`),
    maybe(0.3, () => `maxNumBatchedTokens: ${extreme([256, 2048, 16384], [1, 100_000_000])}`),
    maybe(0.1, () => `blockSize: ${extreme([16, 64], [1, 1024])}`),
    maybe(0.2, () => `gpuMemoryUtilization: ${extreme([0.8, 0.95], [1e-6, 1])}`),
    maybe(0.1, () => "enableChunkedPrefill: false"),
    maybe(0.2, () => "enablePrefixCaching: true"),
    maybe(0.1, () => `apiServerCount: ${extreme([2, 4], [1024])}`),
    maybe(0.1, () => `schedulerRecvInterval: ${extreme([2, 30], [65536])}`),
    maybe(0.1, () => "speculative: { method: mtp, draftTokens: 2, acceptance: 0.7 }"),
  ];
  const parallel = [
    maybe(0.6, () => `tp: ${degree()}`),
    maybe(0.5, () => `dp: ${degree()}`),
    maybe(0.08, () => `ep: ${degree()}`),
    maybe(0.08, () => `etp: ${degree()}`),
    maybe(0.2, () => `pp: ${extreme([2, 4], [61, 1100, 4096])}`),
    maybe(0.2, () => `replicas: ${extreme([2, 4], [100])}`),
  ];
  const requests = extreme([1, 5, 20], [60]);
  const arrivals = oneOf([
    `kind: closed, maxConcurrency: ${extreme([1, 4, 16], [2 ** 31, 1e6])}`,
    `kind: poisson, requestRate: ${extreme(["1/s", "20/s"], ["1e-6/s", "1e9/s"])}`,
    `kind: constant, requestRate: ${extreme(["2/s"], ["1e-9/s"])}`,
    `kind: stages, stages: [{ rate: 2/s, rampTo: 9/s, duration: ${extreme(["2s"], ["1ns", "1h"])} }, { rate: 0/s, duration: 1s }]`,
    `kind: gamma, requestRate: 3/s, burstiness: ${extreme([0.5, 3], [0.01, 100])}`,
  ]);
  const tokens = () => extreme([1, 100, 700], [1_000_000]);
  const routing = oneOf([
    "kind: uniform",
    `kind: uniform, popularityCv: ${extreme([0.3, 1, 1.3], [4, 1e-3, 1e-7, 1e-9, 1e-12, 1e-300])}`,
    `kind: parametric, rows: 200, skew: ${extreme([0.5, 1], [0, 4])}, reuse: ${extreme([0, 0.3], [1])}`,
    `kind: parametric, rows: 200`,
  ]);
  const prefix = `kind: sharedPrefix, groups: ${extreme([1, 3], [100])}, promptsPerGroup: ${extreme([1, 4], [50])}`;
  const traffic = chance(0.2)
    ? `${prefix}, prefix: { kind: fixed, tokens: ${tokens()} }, question: { kind: fixed, tokens: ${tokens()} }, `
    : `kind: generated, ${arrivals.startsWith("kind: stages") ? "" : `requests: ${requests}, `}isl: { kind: fixed, tokens: ${tokens()} }, `;
  const replayed = !routing.startsWith("kind: uniform");
  const slots = () => extreme([2, 8, 16], [1, 1e7]);
  const policy = [
    maybe(replayed ? 0.5 : 0.05, () => {
      const room = chance(0.8) ? `slots: ${slots()}` : `memory: ${extreme(["4GiB"], ["1B", "1e15B"])}`;
      const host = maybe(0.3, () => `, hostMemory: ${extreme(["8GiB", "64GiB"], ["1B"])}`);
      const ways =
        maybe(0.2, () => ", diskPath: direct") + maybe(0.1, () => `, numa: ${oneOf(["local", "interleave"])}`);
      const memory =
        maybe(0.3, () => `, pageCache: ${extreme(["rest", "4GiB"], ["0B", "1e15B"])}`) +
        maybe(0.3, () => ", hostCache: exclusive") +
        maybe(0.15, () => ", tiering: lru");
      const misses = maybe(0.4, () => `, miss: { kind: ${oneOf(Object.keys(missPolicies))} }`);
      const ahead = maybe(0.3, () => `, prefetch: { kind: ${oneOf(["perfect", ...Object.keys(prefetchers)])} }`);
      if (chance(0.1))
        return `offload: { kind: static, flags: "--n-cpu-moe ${oneOf([2, 20, 99])}${maybe(0.2, () => " --no-mmap")}"${host}${memory} }`;
      return `offload: { kind: ${oneOf(livePolicyNames)}, scope: ${oneOf(["layer", "global"])}, ${room}${host}${ways}${memory}${misses}${ahead} }`;
    }),
    maybe(
      replayed ? 0.3 : 0.05,
      () => `placement: { kind: ${oneOf(Object.keys(placements))}, redundant: ${extreme([0, 8], [65536])} }`,
    ),
    maybe(0.3, () => `router: ${oneOf(Object.keys(routers))}`),
  ];
  const section = (name: string, parts: readonly string[]) => {
    const kept = parts.filter((part) => part !== "");
    return kept.length === 0 ? [] : [`${name}: { ${kept.join(", ")} }`];
  };
  return [
    "version: 1",
    `name: ${id(["random"])}`,
    `seed: ${index}`,
    ...section("model", model),
    ...section("hardware", hardware),
    ...section("engine", engine),
    ...section("parallel", parallel),
    `traffic: { ${traffic}arrivals: { ${arrivals} }, osl: { kind: fixed, tokens: ${tokens()} } }`,
    ...maybeLine(chance(0.1), `coldStart: { readyAfter: ${extreme(["5s"], ["1ns", "1h"])} }`),
    `routing: { ${routing} }`,
    ...section("policy", policy),
    "",
  ].join("\n");
}

const maybeLine = (wanted: boolean, line: string): string[] => (wanted ? [line] : []);
