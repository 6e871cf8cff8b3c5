import type { StorageFormat } from "../../core/dtype.ts";
import { mean } from "../../core/statistics.ts";
import { formatNumber } from "../../core/units.ts";
import { exchangeLibrary } from "../../engine/exchange/expert-exchange.ts";
import { poolsOf, type SimConfig } from "../../sim/config.ts";
import { devicesOf, exchangesTokens } from "../../sim/mapping.ts";
import { noExpertId } from "../../trace/routing-table.ts";
import type { ErrorBandTable } from "./error-band-table.ts";

/** Prompts longer than this many times the longest measured ones are spent on other kernels. */
const promptFactor = 2;

/** Formats that the same kernels serve. */
const alike: Readonly<Partial<Record<StorageFormat, StorageFormat>>> = { fp16: "bf16", int4_g32: "int4" };

/** Libraries that send tokens to their experts, in any of their modes. */
const libraryWords = { deepep: "DeepEP", nvlink: "exchange kernels over NVLink" } as const;

const leavesChoicesOut = ({ routing }: SimConfig): boolean =>
  routing.kind === "replay" && routing.table.ids.includes(noExpertId(routing.table));

/**
 * What a deployment does that none of the served measurements of the validation did, each in words of a list: they are
 * replicas of up to `devicesMax` devices with all weights in device memory, every chosen expert computed, one token a
 * step, neither pipeline nor context parallelism, whole batches and exchanges by collectives, in the formats and with
 * prompts up to the length that the table has.
 */
export function unvalidatedFeatures(
  config: SimConfig,
  { devicesMax, promptTokensMax, setups }: Pick<ErrorBandTable, "devicesMax" | "promptTokensMax" | "setups">,
): string[] {
  const { model, mapping, offload, speculation, formats, workload, engine } = config;
  const devices = devicesOf(mapping);
  const library = exchangesTokens(mapping) ? exchangeLibrary(engine.expertExchange) : null;
  const { promptTokens } = workload.requests;
  const prompt = promptTokens.length === 0 ? 0 : mean(Float64Array.from(promptTokens));
  const kind = (format: StorageFormat) => alike[format] ?? format;
  const measured = new Set(setups.flatMap((setup) => setup.deployments.map(({ weights }) => kind(weights))));
  return [
    ...(config.modelCache === undefined ? [] : ["models that take turns"]),
    ...(config.otherPools === undefined || config.modelCache !== undefined ? [] : ["several pools"]),
    ...(poolsOf(config).some(({ scaling }) => scaling !== undefined) ? ["replicas that come and go"] : []),
    ...(offload === null ? [] : ["experts in host memory"]),
    ...(speculation === null ? [] : ["speculative decoding"]),
    ...(leavesChoicesOut(config) ? ["choices without an expert"] : []),
    ...(model.layers.some(({ revisit }) => revisit !== undefined) ? ["chains of experts"] : []),
    ...(mapping.pp > 1 ? ["pipeline parallelism"] : []),
    ...(mapping.cp > 1 ? ["context parallelism"] : []),
    ...(mapping.edp > 1 ? ["expert data parallelism"] : []),
    ...(library === null ? [] : [libraryWords[library]]),
    ...(exchangesTokens(mapping) && mapping.dp > 1 && engine.overlapsBatches ? ["half batches"] : []),
    ...(devices > devicesMax ? [`${devices} devices a replica`] : []),
    ...(measured.has(kind(formats.experts)) ? [] : [`weights in ${formats.experts}`]),
    ...(prompt > promptFactor * promptTokensMax ? [`prompts of ${formatNumber(prompt)} tokens`] : []),
  ];
}
