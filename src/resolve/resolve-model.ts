import { restored } from "../models/bytes.ts";
import { modelNamed } from "../models/catalogue.ts";
import type { ModelSpec, WeightStorage } from "../models/spec.ts";
import { fromScenario } from "../scenario/file-path.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { PoolConfig } from "../sim/config.ts";
import type { LedgerEntry } from "../sim/result.ts";
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

export async function resolveModel(scenario: Scenario, reader: FileReader): Promise<ResolvedModel> {
  const { file, id = "", dtypes = {}, kvCacheDtype } = scenario.model;
  const inputs: InputRow[] = [];
  const assumptions: string[] = [];
  const model =
    file === undefined
      ? located(scenario, ["model", "id"], () => modelNamed(id))
      : await locatedAsync(scenario, ["model", "file"], async () => {
          const read = await readModel(reader, fromScenario(scenario.file, file));
          for (const { file: name, text } of read.files) inputs.push(inputRow("model configuration", name, text));
          assumptions.push(...read.assumptions);
          return read.spec;
        });
  const given = Object.fromEntries(Object.entries(dtypes).filter(([, format]) => format !== undefined));
  const storage = restored(model, { ...model.formats, ...given });
  const kvFormat = kvCacheDtype ?? model.kvFormat;
  const changed = [
    ...Object.entries(given).map(([tensor, format]) => `${tensor} ${format}`),
    ...(kvCacheDtype === undefined ? [] : [`KV cache ${kvCacheDtype}`]),
  ];
  return {
    model,
    storage,
    kvFormat,
    inputs,
    ledger: [
      { topic: "model", fidelity: "vendor", detail: `${model.name}: shapes of its released configuration` },
      ...assumptions.map((detail): LedgerEntry => ({ topic: "model", fidelity: "assumed", detail })),
      ...(changed.length === 0
        ? []
        : [
            { topic: "formats", fidelity: "assumed", detail: `as the scenario states: ${changed.join(", ")}` } as const,
          ]),
    ],
  };
}
