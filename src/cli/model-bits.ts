import type { StorageFormat } from "../core/dtype.ts";
import { refuse, UsageError } from "../core/errors.ts";
import { jsonDocument, parseJson } from "../core/json.ts";
import { oneLine } from "../core/printable.ts";
import { formatBytes, formatCount, formatNumber, formatPercent } from "../core/units.ts";
import { type OutputNeeds, prepareOutput } from "../files/prepare-output.ts";
import { restored, weightBytes } from "../models/bytes.ts";
import { modelNamed } from "../models/catalogue.ts";
import { routableExperts } from "../models/expert-choices.ts";
import type { ModelSpec } from "../models/spec.ts";
import { type ExpertBits, expertBits } from "../policy/compression/expert-bits.ts";
import { type ExpertLosses, readExpertLosses, roundingLosses } from "../policy/compression/expert-losses.ts";
import { textTable } from "../report/text-table.ts";
import { moeShape } from "../sim/mapping.ts";
import { bitAllocation } from "../solver/bit-allocation/bit-allocation.ts";
import { loadCountsTable } from "../trace/load-counts.ts";
import { loadRoutingTable } from "../trace/load-routing.ts";
import { processIo } from "./io.ts";
import { withSolvers } from "./solving.ts";
import { inStages, type StagesOptions } from "./stages.ts";
import { bytesMax, knownModel, withTrace } from "./trace.ts";
import { oneOf } from "./words.ts";

export interface ModelBitsOptions extends OutputNeeds, StagesOptions {
  readonly average: number;
  readonly loss?: string;
  readonly bits?: readonly number[];
  readonly atLeastOnce?: readonly number[];
  readonly weightExponent: number;
  readonly group: number;
  readonly model?: string;
  readonly solver?: string;
  readonly output?: string;
  readonly json?: boolean;
}

/** Bits for every expert of a model from how a trace uses them, and what the model then takes. */
export async function modelBits(file: string, options: ModelBitsOptions): Promise<void> {
  const io = processIo(true);
  const { average, weightExponent, group, output } = options;
  const solver =
    options.solver === undefined ? undefined : oneOf(options.solver, Object.keys(bitAllocation.solvers), "--solver");
  if (output !== undefined) await prepareOutput(output, options);
  const used = await inStages(io, file, options, () =>
    withTrace(file, async (trace) => {
      const { header } = trace;
      const shape = { layers: header.layers.length, experts: header.experts };
      if (weightExponent === 0)
        return { ...shape, model: header.model, uses: (await total(trace)).uses, weights: null };
      if (!trace.hasWeights)
        refuse({
          file,
          expected: "a trace with router weights, by which an expert's loss counts",
          found: "none",
          hint: "--weight-exponent 0 goes by the number of tokens alone",
        });
      const table = await loadRoutingTable(trace, { bytesMax, also: new Set(["weights"] as const) });
      const [uses, weights] = [
        new Float64Array(shape.layers * shape.experts),
        new Float64Array(shape.layers * shape.experts),
      ];
      for (let at = 0; at < table.ids.length; at++) {
        if (table.ids[at]! >= shape.experts) continue;
        const expert = (Math.floor(at / table.topK) % shape.layers) * shape.experts + table.ids[at]!;
        uses[expert]! += 1;
        weights[expert]! += table.weights![at]!;
      }
      return { ...shape, model: header.model, uses, weights };
    }),
  );
  const losses = await lossesFor(options, used, (path) => io.readText(path));
  const { bits: widths } = losses;
  const atLeastOnce = options.atLeastOnce ?? widths.slice(1).slice(0, used.experts);
  const found = await withSolvers(io, "bits", { quiet: options.quiet === true }, (solve) =>
    expertBits(
      { ...used, ...losses, average, atLeastOnce, exponents: { uses: 1, weight: weightExponent, loss: 1 } },
      solve,
      { gap: 1e-9, ...(solver === undefined ? {} : { solver }) },
    ),
  );
  const model = modelOf(options.model, used);
  const stored = model === null ? null : storedModel(model, found.average, group);
  const rows = Array.from({ length: used.layers }, (_, layer) =>
    Array.from(found.bits.subarray(layer * used.experts, (layer + 1) * used.experts)),
  );
  const { bits: _bits, ...figures } = found;
  const document = { file, model: model?.id ?? used.model, widths, ...figures, group, ...stored, bits: rows };
  if (output !== undefined) await io.writeText(output, jsonDocument(document));
  if (options.json === true) return io.out(jsonDocument(document));
  io.out(bitsText(found, widths, stored, options));
  if (output !== undefined) io.out(`${oneLine(output)}: bits of ${formatCount(found.bits.length)} experts\n`);
}

async function total(trace: Parameters<typeof loadCountsTable>[0]): Promise<{ uses: Float64Array }> {
  const { counts, steps } = await loadCountsTable(trace);
  const perStep = counts.length / steps;
  const uses = new Float64Array(perStep);
  for (let at = 0; at < counts.length; at++) uses[at % perStep]! += counts[at]!;
  return { uses };
}

async function lossesFor(
  { loss, bits }: ModelBitsOptions,
  shape: { layers: number; experts: number },
  readText: (path: string) => Promise<string>,
): Promise<ExpertLosses> {
  if (loss === undefined) return roundingLosses(bits ?? [1, 2, 3], shape);
  if (bits !== undefined) throw new UsageError("--bits: the file of --loss says which widths its losses are of");
  return readExpertLosses(parseJson(await readText(loss), loss), loss, shape);
}

/** The model whose bytes are given: the one that is asked for, or the trace's where the catalogue has it. */
function modelOf(
  asked: string | undefined,
  used: { readonly model: string; readonly experts: number },
): ModelSpec | null {
  const model = asked === undefined ? knownModel(used.model) : modelNamed(asked);
  const moe = model === null ? null : moeShape(model);
  if (model !== null && moe !== null && routableExperts(moe) === used.experts) return model;
  if (asked === undefined) return null;
  return refuse({
    at: "--model",
    expected: `a model with ${used.experts} routed experts in a layer, as the trace has`,
    found: moe === null ? `${asked}, which has none` : `${asked}, which has ${routableExperts(moe)}`,
  });
}

/** Formats by whole width whose kernels unpack that many bits; 1-bit experts are unpacked as those of two are. */
const formatsUpTo: readonly StorageFormat[] = ["int2", "int2", "int3", "int4", "int5", "int6", "int8_a16", "int8_a16"];

/** A model whose experts have `average` bits a value, and a 16-bit scale for each `group` of them. */
function storedModel(model: ModelSpec, average: number, group: number) {
  const format = formatsUpTo[Math.ceil(average) - 1] ?? "bf16";
  const bitsPerValue = average + 16 / group;
  const storage = restored(model, { ...model.formats, experts: format });
  const bytes = (of: typeof storage) => {
    const byClass = weightBytes(model, of);
    return { experts: byClass.experts, model: Object.values(byClass).reduce((sum, one) => sum + one, 0) };
  };
  const [released, allotted] = [
    bytes(model),
    bytes({ ...storage, weightBits: { ...storage.weightBits, experts: bitsPerValue } }),
  ];
  return {
    format,
    bitsPerValue,
    expertBytes: allotted.experts,
    modelBytes: allotted.model,
    releasedBytes: released.model,
  };
}

function bitsText(
  { bits, average, objective, bound, proved, solver, inOrder }: ExpertBits,
  widths: readonly number[],
  stored: ReturnType<typeof storedModel> | null,
  { loss, group, output }: ModelBitsOptions,
): string {
  const saved = inOrder === 0 ? 0 : 1 - objective / inOrder;
  const rows = [
    ["average", `${formatNumber(average, 4)} bits a value`],
    ...widths.map((width) => {
      const count = bits.reduce((sum, of) => sum + Number(of === width), 0);
      return [`${width} bit${width === 1 ? "" : "s"}`, `${formatCount(count)} of ${formatCount(bits.length)} experts`];
    }),
    [
      "losses",
      loss === undefined ? "of rounding, halved by each bit and alike for all experts (assumed)" : oneLine(loss),
    ],
    ["expected loss", `${formatPercent(saved, 1)} below the same bits given to the first experts of each layer`],
    [
      "solver",
      `${solver}, ${proved ? "proved" : `${formatNumber(objective, 4)}, no less than ${formatNumber(bound, 4)}`}`,
    ],
    ...(stored === null
      ? [["bytes", "the catalogue does not have the trace's model: give --model"]]
      : [
          ["experts", `${formatBytes(stored.expertBytes)}, with a 16-bit scale for each ${group} values`],
          ["model", `${formatBytes(stored.modelBytes)}, ${formatBytes(stored.releasedBytes)} as released`],
        ]),
  ];
  const scenario =
    stored === null
      ? []
      : [
          "",
          output === undefined
            ? "# In a scenario: every expert at the average. The file of -o gives each layer its own."
            : "# In a scenario: experts of a layer at its average. The path is from the scenario's folder.",
          "model:",
          `  dtypes: {experts: ${stored.format}}`,
          `  expertBits: ${output === undefined ? formatNumber(stored.bitsPerValue, 6) : oneLine(output)}`,
        ];
  return `${[...textTable(rows, { indent: "" }), ...scenario].join("\n")}\n`;
}
