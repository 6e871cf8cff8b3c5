import { InvalidInputError, type Problem, refuse } from "../core/errors.ts";
import { type ExpertMap, emptySlot, type MapContext } from "../engine/expert-maps/expert-map.ts";
import { type ExpertMapFormatName, readExpertMap, refusePickle } from "../engine/expert-maps/expert-map-formats.ts";
import { inputBytesMax } from "../files/input-limits.ts";
import type { ModelSpec, MoeFeedForward } from "../models/spec.ts";
import { expertHomes } from "../models/visits.ts";
import { noExpert, type Placement } from "../policy/placement/placement.ts";
import { fromScenario } from "../scenario/file-path.ts";
import type { FileReader } from "./file-reader.ts";
import { type InputRow, inputRow } from "./input-row.ts";
import type { PolicySetting } from "./policy-setting.ts";

/** How the files of engines number the layers of a model: visits of earlier experts and second halves of a layer have no number. */
export function mapContext(model: ModelSpec, moe: MoeFeedForward, file: string, ranks: number | null): MapContext {
  const moeLayers: number[] = [];
  let layers = 0;
  for (const { feedForward, revisit, joined } of model.layers) {
    if (revisit !== undefined) continue;
    if (joined !== true) layers += 1;
    if (feedForward.kind === "moe") moeLayers.push(layers - 1);
  }
  if (new Set(moeLayers).size < moeLayers.length)
    refuse({ file, expected: "a model whose layers have experts once: files number whole layers", found: model.name });
  return { file, layers, moeLayers, experts: moe.experts, groups: moe.router.groups?.count ?? 1, ranks };
}

/** The map in a file. */
export async function readMapFile(
  reader: FileReader,
  format: ExpertMapFormatName | "auto",
  context: MapContext,
): Promise<{ readonly map: ExpertMap; readonly format: ExpertMapFormatName; readonly text: string }> {
  refusePickle(context.file);
  const text = await reader.readText(context.file, inputBytesMax.expertMap);
  return { ...readExpertMap(text, format, context), text };
}

/** A map on ranks that divide its slots. */
export function placementOfMap(map: ExpertMap, ranks: number): Placement {
  const { layers, experts, slots } = map;
  return {
    layers,
    experts,
    ranks,
    physicalExpertsPerRank: slots / ranks,
    logicalExperts: map.logicalExperts.map((expert) => (expert === emptySlot ? noExpert : expert)),
  };
}

/** A placement by MoE layer and visit, as a run has it, as a map of the layers that hold experts. */
export function mapOfPlacement(placement: Placement, model: ModelSpec): ExpertMap {
  const { experts, ranks, physicalExpertsPerRank } = placement;
  const slots = ranks * physicalExpertsPerRank;
  const holding = [...new Set(expertHomes(model))];
  const logicalExperts = new Uint16Array(holding.length * slots);
  for (const [layer, home] of holding.entries())
    logicalExperts.set(
      placement.logicalExperts
        .subarray(home * slots, (home + 1) * slots)
        .map((one) => (one === noExpert ? emptySlot : one)),
      layer * slots,
    );
  return { layers: holding.length, experts, slots, ranks, logicalExperts, notes: [] };
}

/** The map that `policy.placement.file` names. */
export interface GivenMap {
  readonly placement: Placement;
  readonly format: string;
  readonly notes: readonly string[];
  readonly input: InputRow;
}

/** Reads the map of `policy.placement.kind: file`. Refuses keys that contradict it, as the file says all that they would. */
export async function givenMapOf(setting: PolicySetting, physicalExperts: number): Promise<GivenMap> {
  const { scenario, model, moe, mapping, reader } = setting;
  const section = scenario.policy.placement!;
  // The type of the whole has the shared keys alone: only the kind's own file knows its parameters.
  const { file, format } = section as unknown as {
    readonly file: string;
    readonly format: ExpertMapFormatName | "auto";
  };
  const problems: Problem[] = [];
  const say = (key: string, expected: string, found: unknown) =>
    problems.push({ ...scenario.place(["policy", "placement", key]), at: `policy.placement.${key}`, expected, found });
  for (const key of ["fit", "groups", "nodes"] as const)
    if (section[key] !== undefined) say(key, "nothing beside kind: file, whose map is made", section[key]);
  const context = mapContext(model, moe, fromScenario(scenario.file, file), mapping.ep);
  const read = await readMapFile(reader, format, context);
  const redundant = read.map.slots - moe.experts;
  if (section.redundant > 0 && section.redundant !== redundant)
    say("redundant", `${redundant}, as the map has, or nothing`, section.redundant);
  else if (scenario.policy.offload !== undefined && read.map.slots !== physicalExperts)
    say("redundant", `${redundant}, as the map has, beside policy.offload`, section.redundant);
  if (problems.length > 0) throw new InvalidInputError(problems);
  return {
    placement: placementOfMap(read.map, mapping.ep),
    format: read.format,
    notes: read.map.notes,
    input: inputRow("expert map", context.file, read.text),
  };
}
