import { jsonDocument } from "../core/json.ts";
import { oneLine } from "../core/printable.ts";
import { formatBytes, formatCount, formatNumber } from "../core/units.ts";
import { catalogue, modelNamed } from "../models/catalogue.ts";
import { describeModel, type ModelDescription } from "../models/describe.ts";
import { draftDocument, shapeDocument } from "../models/shape-document.ts";
import { type ModelSpec, type TensorClass, tensorClasses } from "../models/spec.ts";
import { textTable, wrap } from "../report/text-table.ts";
import { readModel } from "../resolve/read-model.ts";
import { resolveModel } from "../resolve/resolve-model.ts";
import { parseModel } from "../scenario/parse-model.ts";
import { type Io, processIo } from "./io.ts";

/** What the resolver left aside or had to assume. */
interface Notes {
  readonly ignored: readonly string[];
  readonly assumptions: readonly string[];
}

/** Parameters of a model: billions to two places, so that a column of them lines up. */
const billions = (values: number) => `${(values / 1e9).toFixed(2)} B`;

/** Parameters of a part of a model, which may be small. */
function parametersLabel(values: number): string {
  const [unit, size] =
    values >= 1e9 ? (["B", 1e9] as const) : values >= 1e6 ? (["M", 1e6] as const) : (["K", 1e3] as const);
  return `${formatNumber(values / size, 4)} ${unit}`;
}

/** What of a token's parameters depends on its choices. */
const activeRangeLine = ({ fewest, most }: { readonly fewest: number; readonly most: number }) =>
  `  active ${parametersLabel(fewest)} to ${parametersLabel(most)}: some experts return their input and compute nothing`;

export function listModels(json: boolean): void {
  const io = processIo(true);
  const descriptions = Object.keys(catalogue).map((id) => describeModel(modelNamed(id)));
  if (json) {
    io.out(jsonDocument(descriptions.map(({ id, parameters, weights, kv }) => ({ id, parameters, weights, kv }))));
    return;
  }
  const rows = descriptions.map((model) => [
    model.id,
    billions(model.parameters.total),
    billions(model.parameters.active),
    formatBytes(model.weights.totalBytes),
    formatBytes(model.kv.bytesPerToken),
  ]);
  const header = ["model", "parameters", "active", "weights", "KV per token"];
  io.out(
    `${textTable([header, ...rows], { align: ["left", "right", "right", "right", "right"], indent: "" }).join("\n")}\n`,
  );
}

export async function showModel(source: string, json: boolean, colour: boolean): Promise<void> {
  const io = processIo(colour);
  const { spec, ignored, assumptions } = await readSource(source, io);
  const model = describeModel(spec);
  if (json) io.out(jsonDocument({ ...model, ignored, assumptions }));
  else io.out(modelText(model, { ignored, assumptions }, io));
}

/** Prints a model as `model.shape` of a scenario: the start of a variant, or of a model whose type is not known. */
export async function printShape(source: string, colour: boolean): Promise<void> {
  const io = processIo(colour);
  if ((await kindOf(source, io)) !== "config") return io.out(shapeDocument((await readSource(source, io)).spec));
  const read = await readModel(io, source, { draft: true });
  io.out(draftDocument(read, read.config ?? {}, read.files[0]?.file ?? source));
}

/** What a word names: what is nowhere on the disk is a model of the catalogue, unless it ends as files do. */
async function kindOf(source: string, io: Io): Promise<"name" | "scenario" | "config"> {
  const named = !/\.(?:json|ya?ml|gguf|safetensors)$/i.test(source) && !/^[./~]/.test(source);
  if (named && (await io.whatIs(source)) === "nothing") return "name";
  return /\.ya?ml$/i.test(source) ? "scenario" : "config";
}

/** A model by catalogue id, config.json path or folder (with hf_quant_config.json where it has one), or of a scenario. */
export async function readSource(source: string, io: Io): Promise<Notes & { spec: ModelSpec }> {
  switch (await kindOf(source, io)) {
    case "name":
      return { spec: modelNamed(source), ignored: [], assumptions: [] };
    case "config":
      return readModel(io, source);
    case "scenario": {
      const { model, storage, kvFormat, ledger } = await resolveModel(
        parseModel(await io.readText(source), source),
        io,
      );
      const assumptions = ledger.filter(({ fidelity }) => fidelity === "assumed").map(({ detail }) => detail);
      return { spec: { ...model, ...storage, kvFormat }, ignored: [], assumptions };
    }
  }
}

function modelText(
  model: ModelDescription,
  { ignored, assumptions }: Notes,
  { style, width = Number.POSITIVE_INFINITY }: Io,
): string {
  const { parameters, weights, kv } = model;
  const classes = tensorClasses
    .filter((name) => parameters.byClass[name] > 0)
    .map((name) => [
      name,
      parametersLabel(parameters.byClass[name]),
      formatLabel(weights, name),
      formatBytes(weights.bytes[name]),
    ]);
  const sections = [
    [
      `${style.bold(oneLine(model.id))}  ${oneLine(model.modelType)}`,
      `  ${parametersLabel(parameters.total)} parameters, ${parametersLabel(parameters.active)} active per token, ` +
        "embedding and head counted",
      ...(parameters.activeRange === undefined ? [] : [activeRangeLine(parameters.activeRange)]),
    ],
    [
      style.bold("Weights"),
      ...textTable([...classes, ["total", parametersLabel(parameters.total), "", formatBytes(weights.totalBytes)]], {
        align: ["left", "right", "left", "right"],
      }),
      ...(model.expertBytes === null ? [] : [`  one routed expert of a layer: ${formatBytes(model.expertBytes)}`]),
    ],
    [
      style.bold("KV cache"),
      `  ${formatBytes(kv.bytesPerToken)} per token in ${kv.format}`,
      ...textTable(
        kv.sequences.map((row) => [`${formatCount(row.contextTokens)} tokens`, formatBytes(row.bytes)]),
        { align: ["right", "right"] },
      ),
    ],
    [
      style.bold("FLOPs per token"),
      ...textTable(
        model.flops.map((row) => [
          row.phase,
          `${formatCount(row.contextTokens)} tokens`,
          `${formatNumber(row.total / 1e9, 4)} G`,
          row.logits ? "with head" : "",
        ]),
        { align: ["left", "right", "right"] },
      ),
    ],
    [
      style.bold("Numbers and the keys they came from"),
      ...textTable(
        model.rows.map((row) => [row.name, String(row.value), row.key]),
        { align: ["left", "right"], width },
      ),
    ],
    ...(assumptions.length === 0
      ? []
      : [[style.bold("Assumed"), ...assumptions.flatMap((text) => indented(text, width))]]),
    ...(ignored.length === 0
      ? []
      : [[style.bold("Keys that do not change the shape"), ...indented(listed(ignored), width)]]),
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

/** A format, with its bits where they are not the usual ones. */
function formatLabel({ formats, bitsPerValue }: ModelDescription["weights"], name: TensorClass): string {
  const bits = bitsPerValue[name];
  return bits === undefined ? formats[name] : `${formats[name]}, ${formatNumber(bits, 4)} bits`;
}

/** Keys that are named; a file may hold any number. */
const keysShown = 60;

const listed = (keys: readonly string[]): string =>
  keys.length <= keysShown
    ? keys.join(", ")
    : `${keys.slice(0, keysShown).join(", ")} and ${formatCount(keys.length - keysShown)} more`;

const indented = (text: string, width: number): string[] => wrap(text, width - 2).map((line) => `  ${line}`);
