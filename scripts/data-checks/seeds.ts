import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "../../src/core/json.ts";
import { weightBytes } from "../../src/models/bytes.ts";
import { modelNamed } from "../../src/models/catalogue.ts";
import { expertBits } from "../../src/policy/compression/expert-bits.ts";
import { readExpertLosses } from "../../src/policy/compression/expert-losses.ts";
import { solveHere } from "../../src/solver/solver.ts";

interface Check {
  readonly name: string;
  readonly expected: string;
  readonly found: string;
  readonly ok: boolean;
}

const check = (name: string, expected: string, found: string): Check => ({
  name,
  expected,
  found,
  ok: expected === found,
});

/** Problems of the optimisation layer against what papers published of theirs. */
export const seedsCheck = {
  name: "seeds",
  folders: ["seeds_golden"],
  run: async (folder: string): Promise<Check[]> => [
    ...(await bitAllocations(join(folder, "seeds_golden", "mcmoe_mixtral_factors.json"))),
    ...averageBits(),
  ],
};

type Numbered<T> = Readonly<Record<string, T>>;
interface Factors {
  readonly freq: Numbered<readonly number[]>;
  readonly weight: Numbered<readonly number[]>;
  readonly solutions: Numbered<Numbered<Numbered<number>>>;
}

/** PMQ of MC-MoE on Mixtral: 32 layers at 12 to 20 bits for 8 experts. */
async function bitAllocations(file: string): Promise<Check[]> {
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
  const lines: Check[] = [];
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
      check(
        `PMQ allocations of Mixtral by ${solver} that are the published ones`,
        `${all} of ${all}`,
        `${same} of ${all}`,
      ),
    );
  }
  return lines;
}

/** MC-MoE's average widths: experts at 20, 16 and 12 bits for 8, all other matrices at 4; embedding and head not counted. */
function averageBits(): Check[] {
  const model = modelNamed("mixtral-8x7b");
  const average = (bitsPerEight: number): string => {
    const formats = { ...model.formats, attention: "int4", router: "int4" } as const;
    const bytes = weightBytes(model, { formats, weightBits: { experts: bitsPerEight / 8, attention: 4, router: 4 } });
    const plain = weightBytes(model);
    const matrices = (of: typeof bytes): number => of.experts + of.attention + of.router;
    return ((16 * matrices(bytes)) / matrices(plain)).toFixed(3);
  };
  return [
    check(
      "Mixtral at 20, 16, 12 bits for 8 experts: bits a value",
      "2.543 2.058 1.572",
      [20, 16, 12].map(average).join(" "),
    ),
  ];
}
