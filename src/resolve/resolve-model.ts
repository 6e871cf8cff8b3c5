import { restored } from "../models/bytes.ts";
import { modelNamed } from "../models/catalogue.ts";
import { resolveShape } from "../models/resolve-shape.ts";
import type { ModelSpec, WeightStorage } from "../models/spec.ts";
import { fromScenario } from "../scenario/file-path.ts";
import type { ScenarioModel } from "../scenario/parse-model.ts";
import type { PoolConfig } from "../sim/config.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { resolveExpertBits } from "./expert-bits.ts";
import type { FileReader } from "./file-reader.ts";
import { type InputRow, inputRow } from "./input-row.ts";
import { located, locatedAsync } from "./located.ts";
import { readModel } from "./read-model.ts";

/** The model of a scenario, in the formats it is served in. */
export interface ResolvedModel {
  readonly model: ModelSpec;
  readonly storage: WeightStorage;
  readonly kvFormat: PoolConfig["kvFormat"];
  readonly ledger: readonly LedgerEntry[];
  readonly inputs: readonly InputRow[];
}

export async function resolveModel(scenario: ScenarioModel, reader: FileReader): Promise<ResolvedModel> {
  const { file, id = "", shape, dtypes = {}, kvCacheDtype } = scenario.model;
  const inputs: InputRow[] = [];
  const assumptions: string[] = [];
  const read = async (path: string): Promise<ModelSpec> => {
    const { spec, files, assumptions: assumed } = await readModel(reader, fromScenario(scenario.file, path));
    for (const { file: name, text } of files) inputs.push(inputRow("model configuration", name, text));
    assumptions.push(...assumed);
    return spec;
  };
  const released =
    shape !== undefined
      ? resolveShape(shape).spec
      : file !== undefined
        ? await locatedAsync(scenario, ["model", "file"], () => read(file))
        : located(scenario, ["model", "id"], () => modelNamed(id));
  const given = Object.fromEntries(Object.entries(dtypes).filter(([, format]) => format !== undefined));
  const bits = await resolveExpertBits(scenario, released, reader);
  const model = bits?.model ?? released;
  inputs.push(...(bits?.inputs ?? []));
  const formatted = restored(model, { ...model.formats, ...given });
  const storage =
    bits === null ? formatted : { ...formatted, weightBits: { ...formatted.weightBits, experts: bits.average } };
  const kvFormat = kvCacheDtype ?? model.kvFormat;
  const changed = [
    ...Object.entries(given).map(([tensor, format]) => `${tensor} ${format}`),
    ...(bits === null ? [] : [bits.detail]),
    ...(kvCacheDtype === undefined ? [] : [`KV cache ${kvCacheDtype}`]),
  ];
  return {
    model,
    storage,
    kvFormat,
    inputs,
    ledger: [
      shape === undefined
        ? { topic: "model", fidelity: "vendor", detail: `${model.name}: shapes of its released configuration` }
        : { topic: "model", fidelity: "assumed", detail: `${model.name}: described by hand in model.shape` },
      ...assumptions.map((detail): LedgerEntry => ({ topic: "model", fidelity: "assumed", detail })),
      ...(changed.length === 0
        ? []
        : [
            { topic: "formats", fidelity: "assumed", detail: `as the scenario states: ${changed.join(", ")}` } as const,
          ]),
    ],
  };
}
