import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { formatBytes, formatCount, formatNumber } from "../core/units.ts";
import { catalogue, modelNamed } from "../models/catalogue.ts";
import { parseConfigText } from "../models/config-text.ts";
import { describeModel, type ModelDescription } from "../models/describe.ts";
import { resolveConfig } from "../models/resolve.ts";
import { type ModelSpec, tensorClasses } from "../models/spec.ts";
import { plainStyle, type TextStyle, textTable } from "../report/text-table.ts";
import { type Io, processIo } from "./io.ts";

/** What the resolver left aside or had to assume. */
interface Notes {
  readonly ignored: readonly string[];
  readonly assumptions: readonly string[];
}

const billions = (values: number) => `${formatNumber(values / 1e9, 4)} B`;

export function listModels(json: boolean): void {
  const io = processIo(true);
  const descriptions = Object.keys(catalogue).map((id) => describeModel(modelNamed(id)));
  if (json) {
    io.out(
      `${JSON.stringify(
        descriptions.map(({ id, parameters, weights, kv }) => ({ id, parameters, weights, kv })),
        null,
        2,
      )}\n`,
    );
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
  io.out(`${textTable([header, ...rows], ["left", "right", "right", "right", "right"], "").join("\n")}\n`);
}

export async function showModel(source: string, json: boolean): Promise<void> {
  const io = processIo(true);
  const { spec, ignored, assumptions } = await readModel(source, io);
  const model = describeModel(spec);
  if (json) io.out(`${JSON.stringify({ ...model, ignored, assumptions }, null, 2)}\n`);
  else io.out(modelText(model, { ignored, assumptions }, io.style));
}

/** A model by catalogue id, config.json path or folder (with hf_quant_config.json where the folder has one). */
async function readModel(source: string, io: Io): Promise<Notes & { spec: ModelSpec }> {
  if (!existsSync(source)) return { spec: modelNamed(source), ignored: [], assumptions: [] };
  const folder = statSync(source).isDirectory();
  const file = folder ? join(source, "config.json") : source;
  const config = parseConfigText(await io.readText(file), file);
  const quantFile = folder ? join(source, "hf_quant_config.json") : "";
  const quantConfig =
    folder && existsSync(quantFile) ? parseConfigText(await io.readText(quantFile), quantFile) : undefined;
  return resolveConfig(config, { file, ...(quantConfig === undefined ? {} : { quantConfig }) });
}

function modelText(model: ModelDescription, { ignored, assumptions }: Notes, style: TextStyle = plainStyle): string {
  const { parameters, weights, kv } = model;
  const classes = tensorClasses
    .filter((name) => parameters.byClass[name] > 0)
    .map((name) => [name, billions(parameters.byClass[name]), weights.formats[name], formatBytes(weights.bytes[name])]);
  const sections = [
    [
      `${style.bold(model.id)}  ${model.modelType}`,
      `  ${billions(parameters.total)} parameters, ${billions(parameters.active)} active per token`,
    ],
    [
      style.bold("Weights"),
      ...textTable(
        [...classes, ["total", billions(parameters.total), "", formatBytes(weights.totalBytes)]],
        ["left", "right", "left", "right"],
      ),
    ],
    [
      style.bold("KV cache"),
      `  ${formatBytes(kv.bytesPerToken)} per token in ${kv.format}`,
      ...textTable(
        kv.sequences.map((row) => [`${formatCount(row.contextTokens)} tokens`, formatBytes(row.bytes)]),
        ["right", "right"],
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
        ["left", "right", "right"],
      ),
    ],
    [
      style.bold("Numbers and the keys they came from"),
      ...textTable(
        model.rows.map((row) => [row.name, String(row.value), row.key]),
        ["left", "right"],
      ),
    ],
    ...(assumptions.length === 0 ? [] : [[style.bold("Assumed"), ...assumptions.map((text) => `  ${text}`)]]),
    ...(ignored.length === 0 ? [] : [[style.bold("Keys that do not change the shape"), `  ${ignored.join(", ")}`]]),
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}
