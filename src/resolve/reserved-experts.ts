import { InvalidInputError, type Problem, refuse } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import { readProfile } from "../core/read-profile.ts";
import { readText } from "../files/read-input.ts";
import { expertHomes } from "../models/visits.ts";
import type { Reserved } from "../policy/cache/reserved.ts";
import { expertsByLayer } from "../scenario/experts-by-layer.ts";
import { fromScenario } from "../scenario/file-path.ts";
import { pathText } from "../scenario/yaml-source.ts";
import { moeStages } from "../sim/step/stage-plan.ts";
import { moeLayerIndices } from "./layer-map.ts";
import type { PolicySetting } from "./policy-setting.ts";

/** Slots as far as pins need them: those of a layer, or all of a pipeline stage. */
interface Room {
  readonly slots: number;
  readonly slotsPerLayer: Uint32Array | null;
}

/** A list of experts by layer is short: a megabyte names a hundred thousand of them. */
const bytesMax = 16 * 1024 * 1024;

type Place = Pick<Problem, "file" | "line" | "column" | "at">;

/** Experts of a layer as somebody named them, with where that is. */
interface Named {
  readonly layer: number;
  readonly place: Place;
  readonly experts: readonly { readonly expert: number; readonly place: Place }[];
}

/** Experts that keep their slots whatever the policy does, by key. Refuses what contradicts the model, itself or the slots. */
export async function reservedExperts(setting: PolicySetting, room: Room): Promise<Reserved | null> {
  const { scenario, model, moe, mapping } = setting;
  const { keep, protect, scope } = scenario.policy.offload!;
  if (keep === undefined && protect === undefined) return null;
  if (mapping.ep > 1)
    refuse({
      ...scenario.place(["policy", "offload", keep === undefined ? "protect" : "keep"]),
      at: `policy.offload.${keep === undefined ? "protect" : "keep"}`,
      expected: "one expert rank: pins of a rank's own experts are not told apart",
      found: `ep ${mapping.ep}`,
    });
  const indices = moeLayerIndices(model);
  const homes = expertHomes(model);
  const problems: Problem[] = [];
  const placeOf = new Map<number, Place>();
  const stageOf = moeStages(setting.model, setting.mapping.pp);
  /** [layer with scope layer, else stage] reserved experts. */
  const taken = new Map<number, number>();
  const keysOf = (named: readonly Named[]): number[] => {
    const keys: number[] = [];
    for (const { layer, place: layerPlace, experts } of named) {
      const at = indices.indexOf(layer);
      if (at < 0 || homes[at] !== at) {
        problems.push({ ...layerPlace, expected: `a layer with experts: ${layersInWords(indices)}`, found: layer });
        continue;
      }
      const slots = room.slotsPerLayer?.[at] ?? room.slots;
      const group = scope === "layer" ? at : stageOf[at]!;
      for (const { expert, place } of experts) {
        const key = at * moe.experts + expert;
        const before = placeOf.get(key);
        if (expert >= moe.experts)
          problems.push({ ...place, expected: `an expert below ${moe.experts}`, found: expert });
        else if (before !== undefined)
          problems.push({
            ...place,
            expected: `each expert once: expert ${expert} of layer ${layer} stands at ${before.at} too`,
            found: expert,
          });
        else {
          placeOf.set(key, place);
          keys.push(key);
          taken.set(group, (taken.get(group) ?? 0) + 1);
          if (taken.get(group) === slots + 1)
            problems.push({
              ...place,
              expected: `at most ${slots} experts that keep their slots ${scope === "layer" ? `in layer ${layer}` : "on a device"}, as many as there are slots`,
              found: `one more: expert ${expert}${scope === "layer" ? "" : ` of layer ${layer}`}`,
            });
        }
      }
    }
    return keys;
  };
  const reserved = {
    keep: keysOf(await namedExperts(setting, "keep", keep)),
    protect: keysOf(await namedExperts(setting, "protect", protect)),
  };
  if (problems.length > 0) throw new InvalidInputError(problems);
  return reserved;
}

type Pins = NonNullable<NonNullable<PolicySetting["scenario"]["policy"]["offload"]>["keep"]>;

async function namedExperts({ scenario }: PolicySetting, key: string, pins: Pins | undefined): Promise<Named[]> {
  if (pins === undefined) return [];
  if (!("file" in pins))
    return listed(pins, (i, j) => {
      const path = ["policy", "offload", key, i, ...(j === null ? ["layer"] : ["experts", j])];
      return { ...scenario.place(path), at: pathText(path) };
    });
  const file = fromScenario(scenario.file, pins.file);
  const json = readProfile(expertsByLayer, parseJson(await readText(file, bytesMax), file), file);
  return listed(json, (i, j) => ({ file, at: j === null ? `${i}.layer` : `${i}.experts.${j}` }));
}

/** Entries of a list; `placeOf` the layer of an entry, or one of its experts. */
function listed(
  list: readonly { readonly layer: number; readonly experts: readonly number[] }[],
  placeOf: (entry: number, expert: number | null) => Place,
): Named[] {
  return list.map(({ layer, experts }, i) => ({
    layer,
    place: placeOf(i, null),
    experts: experts.map((expert, j) => ({ expert, place: placeOf(i, j) })),
  }));
}

/** Layer numbers as ranges: "3 to 60", "0, 2, 4". */
function layersInWords(indices: readonly number[]): string {
  const [first, last] = [indices[0]!, indices.at(-1)!];
  return last - first + 1 === indices.length ? `${first} to ${last}` : indices.join(", ");
}
