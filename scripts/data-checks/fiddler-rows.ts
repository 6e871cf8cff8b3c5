import { readFileSync } from "node:fs";
import { forecastScenario } from "../../src/forecast/forecast-scenario.ts";
import { deviceNamed } from "../../src/hardware/named-profiles.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import type { Row } from "./hybrid-tables.ts";

/** A machine of the paper: its GPU as the catalogue's T4 with other figures, and the memory of its processors. */
interface Machine {
  readonly name: string;
  readonly flopsPerSecond: number;
  readonly gpuBytesPerSecond: number;
  readonly sockets: number;
  /** Of all sockets: six channels of DDR4 each. */
  readonly hostBytesPerSecond: number;
}

const machines: readonly Machine[] = [
  // 48 cores of Skylake: two of 24, DDR4-2666.
  {
    name: "Quadro RTX 6000, 48 Skylake cores",
    flopsPerSecond: 130.5e12,
    gpuBytesPerSecond: 672e9,
    sockets: 2,
    hostBytesPerSecond: 256e9,
  },
  // 32 cores of Cascade Lake: one socket's worth, DDR4-2933.
  {
    name: "L4, 32 Cascade Lake cores",
    flopsPerSecond: 121e12,
    gpuBytesPerSecond: 300e9,
    sockets: 1,
    hostBytesPerSecond: 140.8e9,
  },
];

const sourced = (value: number) => ({ value, kind: "thirdParty", source: "data sheet of the part" });

/** Profiles of a machine, as a user would write them. */
function filesOf({ name, flopsPerSecond, gpuBytesPerSecond, sockets, hostBytesPerSecond }: Machine) {
  const t4 = JSON.parse(
    readFileSync(new URL("../../src/hardware/catalogue/devices/t4.json", import.meta.url), "utf8"),
  ) as { readonly peak: object; readonly memory: object };
  const device = {
    ...t4,
    id: "paper-gpu",
    name,
    peak: { bf16: sourced(flopsPerSecond) },
    memory: {
      technology: "GDDR6",
      bytes: sourced(24 * 2 ** 30),
      bytesPerSecond: sourced(gpuBytesPerSecond),
    },
  };
  const tier = {
    id: "paper-ddr4",
    name: "DDR4",
    kind: "ddr",
    bytesPerSecond: sourced(hostBytesPerSecond),
    efficiency: sourced(0.8),
    latencyNs: sourced(81),
  };
  const system = {
    id: "paper-machine",
    name,
    device: "t4",
    devicesPerNode: sourced(1),
    host: { processor: "xeon-6454s", count: sourced(sockets) },
    tiers: [{ tier, bytes: sourced(256e9) }],
  };
  return { "system.json": JSON.stringify(system), "device.json": JSON.stringify(device) };
}

async function tokensPerSecond(machine: Machine, offload: string): Promise<number> {
  const text = `version: 1
name: fiddler
model: { id: mixtral-8x7b }
hardware: { file: system.json, device: { file: device.json } }
engine: { id: vllm, maxModelLen: 1024, maxNumSeqs: 1, maxNumBatchedTokens: 512, gpuMemoryUtilization: 0.95 }
traffic:
  kind: generated
  requests: 3
  arrivals: { kind: closed, maxConcurrency: 1 }
  isl: { kind: fixed, tokens: 64 }
  osl: { kind: fixed, tokens: 64 }
routing: { kind: parametric, popularityCv: 0.3, reuse: 0.37, rows: 3000 }
policy: { offload: ${offload} }
`;
  const files: Readonly<Record<string, string>> = filesOf(machine);
  const readText = (path: string): Promise<string> => {
    const found = Object.entries(files).find(([name]) => path.endsWith(name));
    return found === undefined ? Promise.reject(new Error(`${path}: no such file`)) : Promise.resolve(found[1]);
  };
  const forecast = await forecastScenario(parseScenario(text, "fiddler.yaml"), { readText } as never);
  return 1000 / Number(forecast.latency?.tpot?.mean ?? Number.NaN);
}

/** All experts of the model in 16 bits: 32 layers of 8. */
const expertBytes = 32 * 8 * 3 * 4096 * 14336 * 2;
/** Experts in 16 bits that 95 % of 24 GiB leave room for: 56 of 256. */
const room = "memory: 18.4GiB";

/** What the paper prints of a machine: Fiddler over mixtral-offloading, and over DeepSpeed-MII. */
const published = [
  { overCache: 8.2, overStreaming: 19.4 },
  { overCache: 10.1, overStreaming: 22.5 },
] as const;

const memoryUnknown =
  "which memory the processors had is not printed: all channels taken for filled, and the rate follows them";

/**
 * Fiddler (arXiv 2402.07033): Mixtral 8x7B in 16 bits, one user, against an expert cache that fetches (mixtral-offloading) and
 * experts that all cross the link for every token (DeepSpeed-MII). The order is a row that counts 1 where it is as published.
 */
export async function fiddlerRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [i, machine] of machines.entries()) {
    const { overCache, overStreaming } = published[i]!;
    const fiddler = await tokensPerSecond(
      machine,
      `{ kind: static, scope: global, ${room}, miss: { kind: fiddler, variant: repo } }`,
    );
    const cache = await tokensPerSecond(machine, `{ kind: lru, scope: global, ${room} }`);
    const { bytesPerSecond, efficiency } = deviceNamed("t4").hostLink ?? { bytesPerSecond: 0, efficiency: 0 };
    const streaming = (bytesPerSecond * efficiency) / expertBytes;
    const name = `Fiddler, Mixtral-8x7B on ${machine.name}`;
    rows.push(
      { name: `${name}, tokens/s (over 3 is printed)`, measured: 3, forecast: fiddler, reason: memoryUnknown },
      {
        name: `${name}, over mixtral-offloading`,
        measured: overCache,
        forecast: fiddler / cache,
        reason: memoryUnknown,
      },
      {
        name: `${name}, over DeepSpeed-MII`,
        measured: overStreaming,
        forecast: fiddler / streaming,
        reason: `${memoryUnknown}; experts are taken to cross at the rate of the link, whole, for every token`,
      },
      {
        name: `${name}, order of the three (1: as published)`,
        measured: 1,
        forecast: fiddler > cache && cache > streaming ? 1 : 0,
        within: 0,
      },
    );
  }
  return rows;
}
