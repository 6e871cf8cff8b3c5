import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "../../src/core/json.ts";
import { weightBytes } from "../../src/models/bytes.ts";
import { modelNamed } from "../../src/models/catalogue.ts";
import { expertBits } from "../../src/policy/compression/expert-bits.ts";
import { readExpertLosses } from "../../src/policy/compression/expert-losses.ts";
import { contiguous } from "../../src/policy/placement/contiguous.ts";
import { keptOf, leftInPlace, mostHeld, placeKept } from "../../src/policy/placement/kept-experts.ts";
import { solveHere } from "../../src/solver/solver.ts";
import type { RoutingTable } from "../../src/trace/routing-table.ts";
import { prune } from "../../src/trace/transform/prune.ts";
import { type CheckLine, checkLine } from "./check-line.ts";

/** Problems of the optimisation layer against what papers published of theirs. */
export const seedsCheck = {
  name: "seeds",
  folders: ["seeds_golden", "easyep_deepseek_r1"],
  run: async (folder: string): Promise<CheckLine[]> => [
    ...(await bitAllocations(join(folder, "seeds_golden", "mcmoe_mixtral_factors.json"))),
    ...averageBits(),
    ...(await prunedLayouts(join(folder, "easyep_deepseek_r1"))),
  ],
};

type Numbered<T> = Readonly<Record<string, T>>;
interface Factors {
  readonly freq: Numbered<readonly number[]>;
  readonly weight: Numbered<readonly number[]>;
  readonly solutions: Numbered<Numbered<Numbered<number>>>;
}

/** PMQ of MC-MoE on Mixtral: 32 layers at 12 to 20 bits for 8 experts. */
async function bitAllocations(file: string): Promise<CheckLine[]> {
  const text = readFileSync(file, "utf8");
  const { freq, weight, solutions } = JSON.parse(text) as Factors;
  const [layers, experts] = [32, 8];
  const parsed = parseJson(text, file) as { readonly quant_loss: Parameters<typeof readExpertLosses>[0] };
  const losses = readExpertLosses(parsed.quant_loss, file, { layers, experts });
  const factors = {
    ...losses,
    layers,
    experts,
    uses: Object.values(freq).flat(),
    weights: Object.values(weight).flat(),
    atLeastOnce: [2, 3],
    exponents: { uses: 1, weight: 1.5, loss: 1 },
  };
  const lines: CheckLine[] = [];
  for (const solver of ["dp", "highs", "glpk"]) {
    let same = 0;
    for (const [budget, published] of Object.entries(solutions)) {
      // The integer programs take seconds each on a slow machine; a budget of each kind is enough of a second opinion.
      if (solver !== "dp" && !["12", "16", "20"].includes(budget)) continue;
      const { bits } = await expertBits({ ...factors, average: Number(budget) / experts }, solveHere, {
        solver,
        gap: 1e-9,
      });
      for (let layer = 0; layer < layers; layer++)
        if (Object.values(published[layer]!).every((width, expert) => bits[layer * experts + expert] === width)) same++;
    }
    const all = layers * (solver === "dp" ? Object.keys(solutions).length : 3);
    lines.push(
      checkLine(
        `PMQ allocations of Mixtral by ${solver} that are the published ones`,
        `${all} of ${all}`,
        `${same} of ${all}`,
      ),
    );
  }
  return lines;
}

/** MC-MoE's average widths: experts at 20, 16 and 12 bits for 8, all other matrices at 4; embedding and head not counted. */
function averageBits(): CheckLine[] {
  const model = modelNamed("mixtral-8x7b");
  const average = (bitsPerEight: number): string => {
    const formats = { ...model.formats, attention: "int4", router: "int4" } as const;
    const bytes = weightBytes(model, { formats, weightBits: { experts: bitsPerEight / 8, attention: 4, router: 4 } });
    const plain = weightBytes(model);
    const matrices = (of: typeof bytes): number => of.experts + of.attention + of.router;
    return ((16 * matrices(bytes)) / matrices(plain)).toFixed(3);
  };
  return [
    checkLine(
      "Mixtral at 20, 16, 12 bits for 8 experts: bits a value",
      "2.543 2.058 1.572",
      [20, 16, 12].map(average).join(" "),
    ),
  ];
}

/** EASY-EP's masks of DeepSeek-R1 on 8 ranks: left where they were, and placed anew. */
async function prunedLayouts(folder: string): Promise<CheckLine[]> {
  const [layers, experts, ranks] = [58, 256, 8];
  // A row that every expert is chosen in, so that the transform has a table to work on.
  const table: RoutingTable = {
    experts,
    topK: experts,
    layers,
    rows: 1,
    ids: Uint16Array.from({ length: layers * experts }, (_, at) => at % experts),
    sequenceStarts: Uint32Array.of(0, 1),
    domains: ["any"],
    domainStarts: Uint32Array.of(0, 1),
    modelLayers: Array.from({ length: layers }, (_, layer) => layer + 3),
    origin: { kind: "recorded", name: "mask", digest: "", sourceRows: 1, phase: "unknown", notes: [] },
  };
  const masks = new Map<string, Uint8Array>();
  for (const name of ["aime23_full_br_64", "aime23_full_br_128", "mix_domain_128"]) {
    const file = `${name}.json`;
    const { kept } = prune.apply(table, { by: "file", file, seed: 1 }, readFileSync(join(folder, file), "utf8"));
    masks.set(name, kept!);
  }
  const [small, aime, mixed] = [...masks.values()] as [Uint8Array, Uint8Array, Uint8Array];
  const inCommon = (a: Uint8Array, b: Uint8Array) =>
    (a.reduce((sum, value, at) => sum + (value & b[at]!), 0) / layers).toFixed(1);
  const counts = (mask: Uint8Array) =>
    [...new Set(Array.from({ length: layers }, (_, layer) => keptOf(mask, experts, layer).length))].join(" ");
  const inPlace = (mask: Uint8Array) => {
    const { fewest, most, meanMost } = leftInPlace(mask, experts, ranks);
    return `${fewest}..${most}, ${meanMost.toFixed(1)}`;
  };
  const anew = async (mask: Uint8Array) => {
    const input = { layers, experts, ranks, nodes: 1, groups: 1, physicalExperts: experts, loads: null };
    const placement = await placeKept(input, mask, 0, (of) => contiguous.place(of));
    return `${mostHeld(placement, [0])} ${mostHeld(placement, [...Array(layers).keys()]) / layers}`;
  };
  return [
    checkLine("EASY-EP masks: experts kept in every layer", "64 128 128", [small, aime, mixed].map(counts).join(" ")),
    checkLine("EASY-EP: the 64 of AIME that are among its 128", "64.0", inCommon(small, aime)),
    checkLine("EASY-EP: of 128, AIME and mixed domains have in common", "103.1", inCommon(aime, mixed)),
    checkLine(
      "EASY-EP AIME 128 left on 8 ranks of 32: kept on a rank, mean of the fullest",
      "4..32, 23.5",
      inPlace(aime),
    ),
    checkLine(
      "EASY-EP mixed 128 left on 8 ranks of 32: kept on a rank, mean of the fullest",
      "5..28, 22.3",
      inPlace(mixed),
    ),
    checkLine(
      "EASY-EP AIME 128 placed anew: on the fullest rank of a layer, and over all layers",
      "16 16",
      await anew(aime),
    ),
  ];
}
