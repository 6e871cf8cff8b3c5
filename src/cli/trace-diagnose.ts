import { refuse, UsageError } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { inOneStretch } from "../files/signals.ts";
import { modelNamed } from "../models/catalogue.ts";
import { routableExperts } from "../models/expert-choices.ts";
import { diagnoseLoads } from "../place/diagnose-loads.ts";
import { recordedLoads } from "../place/recorded-loads.ts";
import { terminalPage } from "../report/page-terminal.ts";
import { placementDiagnosisPage } from "../report/placement-diagnosis.ts";
import { moeShape } from "../sim/mapping.ts";
import { processIo } from "./io.ts";
import { inStages, type StagesOptions } from "./stages.ts";
import { bytesMax, knownModel, withTrace } from "./trace.ts";

export interface DiagnoseCliOptions extends StagesOptions {
  readonly diagnose?: string;
  readonly ep?: number;
  readonly nodes?: number;
  readonly redundant?: readonly number[];
  readonly batch?: number;
  readonly model?: string;
  readonly domain?: string;
  readonly json?: boolean;
}

const defaultRanks = 8;
const defaultBatch = 64;

/** Options that mean something with `--diagnose` only. */
const diagnoseOnly = ["ep", "nodes", "redundant"] as const;
/** Options of the other judgements. */
const otherwise = ["offload", "ranks", "slots", "scope", "expertFormat"] as const;

export function refuseWithoutDiagnose(options: DiagnoseCliOptions): void {
  const given = diagnoseOnly.filter((name) => options[name] !== undefined);
  if (given.length > 0)
    throw new UsageError(`trace stats: ${given.map((name) => `--${name}`).join(", ")} need --diagnose eplb`);
}

/** Whether a trace's experts load ranks evenly, whether it lasts, and what maps and copies can win. */
export async function diagnose(file: string, options: DiagnoseCliOptions): Promise<void> {
  const given = otherwise.filter((name) => (options as Readonly<Record<string, unknown>>)[name] !== undefined);
  const flags = given.map((name) => `--${name === "expertFormat" ? "expert-format" : name}`);
  if (flags.length > 0)
    throw new UsageError(
      `trace stats: ${flags.join(", ")} ${flags.length > 1 ? "do" : "does"} not apply with --diagnose`,
    );
  const io = processIo(true);
  const { ep = defaultRanks, nodes = 1, batch = defaultBatch, redundant, domain } = options;
  const found = await inStages(io, file, options, (say) =>
    withTrace(file, async (trace) => {
      const chosen = chosenPerToken(options.model, trace.header);
      const loads = await recordedLoads(trace, bytesMax, domain);
      const recorded = { ...loads, topK: loads.topK ?? chosen };
      say("judging");
      return inOneStretch(() =>
        diagnoseLoads(recorded, { ep, nodes, batch, ...(redundant === undefined ? {} : { redundant }) }),
      );
    }),
  );
  if (options.json === true) io.out(jsonDocument(found));
  else io.out(terminalPage(placementDiagnosisPage(found), io.style, io.width));
}

/** Experts that a token of the model chooses: the one asked for, or the one that the trace names; null where neither is known. */
function chosenPerToken(asked: string | undefined, header: { readonly model: string; readonly experts: number }) {
  const model = asked === undefined ? knownModel(header.model) : modelNamed(asked);
  const moe = model === null ? null : moeShape(model);
  if (moe !== null && routableExperts(moe) === header.experts) return moe.topK;
  if (asked !== undefined)
    refuse({
      at: "--model",
      expected: `a model with ${header.experts} routed experts in a layer, as the trace has`,
      found: moe === null ? `${asked}, which has none` : `${asked}, which has ${routableExperts(moe)}`,
    });
  return null;
}
