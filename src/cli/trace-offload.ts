import { type StorageFormat, storageFormats } from "../core/dtype.ts";
import { refuse, UsageError } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { inOneStretch } from "../files/signals.ts";
import { expertBytes, restored } from "../models/bytes.ts";
import { modelNamed } from "../models/catalogue.ts";
import { routableExperts } from "../models/expert-choices.ts";
import { type JudgeOptions, judgeTrace } from "../offload/replay/judge-trace.ts";
import { someNeedWeights } from "../offload/replay/policy-table.ts";
import type { CacheScope } from "../policy/cache/cache-scope.ts";
import { terminalPage } from "../report/page-terminal.ts";
import { judgementPage } from "../report/trace-judgement-page.ts";
import { moeShape } from "../sim/mapping.ts";
import { loadRoutingTable } from "../trace/load-routing.ts";
import { rowsOfDomain } from "../trace/rows-of-domain.ts";
import { processIo } from "./io.ts";
import { inStages, type StagesOptions } from "./stages.ts";
import { bytesMax, knownModel, withTrace } from "./trace.ts";
import { oneOf } from "./words.ts";

export interface OffloadStatsOptions extends StagesOptions {
  readonly offload?: boolean;
  readonly batch?: number;
  readonly slots?: readonly number[];
  readonly scope?: CacheScope;
  readonly model?: string;
  readonly expertFormat?: string;
  readonly ranks?: number;
  readonly domain?: string;
  readonly json?: boolean;
}

/**
 * Choices of experts that are replayed at most: every policy passes over them at every size. Some look at all experts of a cache for
 * each victim, so there are fewer where that is all layers'.
 */
const choicesMax: Readonly<Record<CacheScope, number>> = { layer: 2_000_000, global: 250_000 };

/** Options that mean something with `--offload` only. */
const offloadOnly = ["batch", "slots", "scope", "model", "expertFormat"] as const;

export function refuseWithoutOffload(options: OffloadStatsOptions): void {
  const given = offloadOnly.filter((name) => options[name] !== undefined);
  const flags = given.map((name) => `--${name === "expertFormat" ? "expert-format" : name}`);
  if (flags.length > 0) throw new UsageError(`trace stats: ${flags.join(", ")} need --offload`);
}

/** What a trace says of expert caches, without a deployment. */
export async function offloadStats(file: string, options: OffloadStatsOptions): Promise<void> {
  if (options.ranks !== undefined) throw new UsageError("trace stats: --ranks does not apply with --offload");
  const io = processIo(true);
  const { domain, batch = 1, scope = "layer", slots } = options;
  const judgement = await inStages(io, file, options, (say) =>
    withTrace(file, async (trace) => {
      const { header } = trace;
      const expert = expertOf(options, header.model, header.experts);
      const rowsMax = Math.max(2, Math.floor(choicesMax[scope] / (header.layers.length * (header.topK ?? 1))));
      const loaded = await loadRoutingTable(trace, {
        bytesMax,
        rowsMax,
        ...(someNeedWeights ? { also: new Set(["weights"] as const) } : {}),
      });
      const table = domain === undefined ? loaded : rowsOfDomain(loaded, domain, { file, at: "--domain" });
      say("judging");
      return inOneStretch(() =>
        judgeTrace(table, {
          file,
          batch,
          scope,
          expert,
          recordingNotes: header.provenance.notes.length,
          ...(slots === undefined ? {} : { slots }),
        }),
      );
    }),
  );
  if (options.json === true) io.out(jsonDocument(judgement));
  else io.out(terminalPage(judgementPage(judgement), io.style, io.width));
}

/** Bytes of an expert: of the model that is asked for, or that the trace names if the catalogue has it. */
function expertOf(options: OffloadStatsOptions, recorded: string, experts: number): JudgeOptions["expert"] {
  const asked = options.model;
  const model = asked === undefined ? knownModel(recorded) : modelNamed(asked);
  const moe = model === null ? null : moeShape(model);
  if (model === null || moe === null || routableExperts(moe) !== experts) {
    if (asked !== undefined)
      refuse({
        at: "--model",
        expected: `a model with ${experts} routed experts in a layer, as the trace has`,
        found: moe === null ? `${asked}, which has none` : `${asked}, which has ${routableExperts(moe)}`,
      });
    if (options.expertFormat !== undefined)
      throw new UsageError(`--expert-format: the trace names no model of the catalogue (${recorded}); give --model`);
    return null;
  }
  const format =
    options.expertFormat === undefined
      ? model.formats.experts
      : oneOf(options.expertFormat, Object.keys(storageFormats) as StorageFormat[], "--expert-format");
  const storage = restored(model, { ...model.formats, experts: format });
  return { model: model.name, format, bytes: expertBytes(moe, storage) };
}
