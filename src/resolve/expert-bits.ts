import { InvalidInputError, type Problem, refuse } from "../core/errors.ts";
import { type Json, parseJson } from "../core/json.ts";
import type { LayerSpec, ModelSpec } from "../models/spec.ts";
import { fromScenario } from "../scenario/file-path.ts";
import type { ScenarioModel } from "../scenario/parse-model.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { FileReader } from "./file-reader.ts";
import { type InputRow, inputRow } from "./input-row.ts";
import { locatedAsync } from "./located.ts";

/** Bits of a model's experts. */
export interface ResolvedExpertBits {
  /** The model; where layers differ, each says what its experts have. */
  readonly model: ModelSpec;
  /** Bits per value over all experts. */
  readonly average: number;
  /** What the ledger says of them. */
  readonly detail: string;
  readonly inputs: readonly InputRow[];
}

/** `model.expertBits`: a number, one for each MoE layer, or the file of `moecast model bits`; null where the scenario has none. */
export async function resolveExpertBits(
  scenario: ScenarioModel,
  model: ModelSpec,
  reader: FileReader,
): Promise<ResolvedExpertBits | null> {
  const { expertBits } = scenario.model;
  if (expertBits === undefined) return null;
  return locatedAsync(scenario, ["model", "expertBits"], async () => {
    const moe = model.layers.filter(({ feedForward: { kind } }) => kind === "moe");
    if (moe.length === 0) refuse({ expected: `no bits of experts: ${model.name} has none`, found: expertBits });
    if (typeof expertBits === "number")
      return {
        model,
        average: expertBits,
        detail: `${expertBits} bits per value of every expert, also where they differ`,
        inputs: [],
      };
    if (moe.some(({ revisit }) => revisit !== undefined))
      refuse({ expected: `one number: ${model.name} visits the experts of a layer again`, found: "several" });
    const file = typeof expertBits === "string" ? expertBits : null;
    const text = file === null ? null : await reader.readText(fromScenario(scenario.file, file));
    const bits = file === null ? (expertBits as readonly number[]) : averagesOf(parseJson(text!, file), file, model);
    if (bits.length !== moe.length)
      refuse({
        ...(file === null ? {} : { file, at: "bits" }),
        expected: `one for each of the ${moe.length} layers of ${model.name} that have experts`,
        found: bits.length,
      });
    const average = bits.reduce((sum, of) => sum + of, 0) / bits.length;
    const [least, most] = [Math.min(...bits), Math.max(...bits)];
    const within = file === null ? "" : "; of a layer they are simulated at its average";
    return {
      model: least === most ? model : withLayerBits(model, bits),
      average: least === most ? least : average,
      detail: `${least === most ? least : `${least} to ${most}`} bits per value of experts, by layer${within}`,
      inputs: file === null ? [] : [inputRow("bits of experts", file, text!)],
    };
  });
}

function withLayerBits(model: ModelSpec, bits: readonly number[]): ModelSpec {
  let moe = 0;
  const layers = model.layers.map((layer): LayerSpec => {
    if (layer.feedForward.kind !== "moe") return layer;
    return { ...layer, feedForward: { ...layer.feedForward, expertBits: bits[moe++]! } };
  });
  return { ...model, layers };
}

/** [layers] bits per value with scales, of a file of `moecast model bits`. */
function averagesOf(json: Json, file: string, model: ModelSpec): number[] {
  const { bits, group } =
    typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Record<string, Json>) : {};
  if (!Array.isArray(bits)) refuse({ file, at: "bits", expected: "a list for each layer", found: bits });
  if (typeof group !== "number" || !(group >= 1))
    refuse({ file, at: "group", expected: "values that share a 16-bit scale", found: group });
  const experts = model.layers.flatMap(({ feedForward: of }) => (of.kind === "moe" ? [of.experts] : []));
  return bits.map((row, layer) => {
    const at = `bits[${layer}]`;
    if (!Array.isArray(row) || row.length !== (experts[layer] ?? row.length))
      refuse({
        file,
        at,
        expected: `a width for each of ${experts[layer]} experts`,
        found: Array.isArray(row) ? row.length : row,
      });
    let sum = 0;
    for (const [expert, width] of row.entries()) {
      if (typeof width !== "number" || !(width >= 0.5 && width <= 32))
        refuse({ file, at: `${at}[${expert}]`, expected: "from 0.5 to 32 bits", found: width });
      sum += width;
    }
    return sum / row.length + 16 / group;
  });
}

/** Refuses what counts experts of any layer alike, where they differ by layer. */
export function checkLayerBits(scenario: Scenario, model: ModelSpec): void {
  const differ = model.layers.some(({ feedForward: of }) => of.kind === "moe" && of.expertBits !== undefined);
  if (!differ) return;
  const { offload, placement } = scenario.policy;
  const problems: Problem[] = [];
  const say = (path: readonly string[], what: unknown): void => {
    if (what === undefined) return;
    problems.push({
      ...scenario.place([...path]),
      at: path.join("."),
      expected: "none where experts of some layers have more bits than those of others",
      found: path.at(-1),
      hint: "give model.expertBits as one number, their average",
    });
  };
  say(["policy", "offload"], offload);
  say(["policy", "placement", "rebalance"], placement?.rebalance);
  say(["policy", "placement", "memory"], placement?.memory);
  if (problems.length > 0) throw new InvalidInputError(problems);
}
