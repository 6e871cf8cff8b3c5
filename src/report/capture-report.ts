import type { CapturePlan, CaptureRequest } from "../capture/record/capture-plan.ts";
import type { CaptureOutcome } from "../capture/record/capture-routing.ts";
import { matmulFlops } from "../capture/record/matmul-work.ts";
import { memorySum, readsOf } from "../capture/record/memory-plan.ts";
import { jsonDocument } from "../core/json.ts";
import { oneLine } from "../core/printable.ts";

import { formatBytes, formatCount, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import { textTable } from "./text-table.ts";

/** What a recording came to, for people and as JSON. */
export interface CaptureReport {
  readonly output: string;
  readonly model: string;
  readonly request: CaptureRequest;
  readonly plan: CapturePlan;
  readonly outcome: CaptureOutcome;
}

/** The plan of a recording, before it begins. */
export function capturePlanText(
  model: string,
  { backend, sequences, checkpoint }: CaptureRequest,
  plan: CapturePlan,
): string {
  const { recorded, memory, decoding } = plan;
  const reads = Math.max(...memory.layers.map(readsOf));
  const kept = memory.layers.some(({ keepsExperts }) => keepsExperts);
  const rows = [
    ["model", `${model} (${checkpoint.plan.architecture})`],
    ["backend", `${backend.id}: ${backend.device}`],
    ["tokens", tokensText(sequences.domains, domainTokens(sequences), sequences.starts.length - 1)],
    [
      "layers",
      `${recorded.layers.length} of ${checkpoint.plan.layers.length}, ${recorded.moeLayers.length} of them with ` +
        `${recorded.experts} experts, top-${recorded.topK}`,
    ],
    ["memory", `at most ${memorySum(memory.peak)}`],
    ...(decoding === null ? [] : [["", `while decoding at most ${memorySum(decoding)}`]]),
    [
      "reads",
      `${formatBytes(plan.bytesRead)} of the checkpoint; each expert ${reads === 1 ? "once" : `up to ${reads} times`}` +
        (kept ? ", a layer's experts kept in memory" : ""),
    ],
    ["disk", `${formatBytes(plan.workBytes)} of unfinished work, ${formatBytes(plan.traceBytes)} of trace`],
  ];
  return `${textTable(rows, { indent: "" }).join("\n")}\n`;
}

/** The end of a recording, in a few lines, and what to do with the trace. */
export function captureSummary(report: CaptureReport): string {
  const { output, request, plan, outcome } = report;
  const { backend, sequences } = request;
  const { recorded } = plan;
  const { rows, layersRecorded } = outcome;
  const tokens = rows.starts.at(-1)!;
  const file = oneLine(output);
  if (layersRecorded === 0) return "interrupted before the first layer was finished: no trace is written\n";
  const choices = tokens * layersRecorded;
  const speed = speedOf(report);
  const lines = [
    `${file}: ${tokensText(sequences.domains, rowsByDomain(report), sequences.starts.length - 1)}, ` +
      `${outcome.complete ? "" : `${layersRecorded} of `}${recorded.moeLayers.length} layers, ${recorded.experts} experts, top-${recorded.topK}` +
      `${outcome.complete ? "" : ": PARTIAL, the same command goes on"}`,
    ...(outcome.work.length === 0
      ? []
      : [
          `${formatDuration(outcome.layerSeconds * 1e9)} on ${oneLine(backend.device)} (${backend.id}): ` +
            `${formatNumber(tokens / outcome.layerSeconds)} tokens/s, ${formatNumber(speed.gflopsPerSecond)} GFLOP/s, ` +
            `${formatPercent(speed.share, 0)} of the ${formatNumber(speed.productGflopsPerSecond)} of its matrix products alone`,
        ]),
    `${formatCount(outcome.expertsUsed)} of ${formatCount(layersRecorded * recorded.experts)} experts were chosen; ` +
      `${formatCount(outcome.nearTies)} of ${formatCount(choices)} choices are closer than float32 can tell`,
    ...(outcome.decodedChoices === 0
      ? []
      : [
          `${formatCount(outcome.decodedOtherwise)} of ${formatCount(outcome.decodedChoices)} choices of decoded tokens ` +
            "are made otherwise in one pass over the whole sequence",
        ]),
    "",
    `moecast trace stats ${file}`,
    `in a scenario:  routing: { kind: trace, file: ${file} }`,
  ];
  return `${lines.join("\n")}\n`;
}

export function captureJson(report: CaptureReport): string {
  const { output, model, request, plan, outcome } = report;
  const { backend, sequences, checkpoint } = request;
  const tokens = outcome.rows.starts.at(-1)!;
  const value = {
    output: outcome.layersRecorded === 0 ? null : output,
    complete: outcome.complete,
    model,
    modelDigest: checkpoint.digest,
    backend: { id: backend.id, device: backend.device, versions: backend.versions },
    tokens,
    sequences: sequences.starts.length - 1,
    domains: Object.fromEntries(sequences.domains.map((domain, i) => [domain, rowsByDomain(report)[i]])),
    layersRecorded: outcome.layersRecorded,
    layersBefore: outcome.layersBefore,
    experts: plan.recorded.experts,
    topK: plan.recorded.topK,
    expertsUsed: outcome.expertsUsed,
    choices: tokens * outcome.layersRecorded,
    nearTies: outcome.nearTies,
    decodedChoices: outcome.decodedChoices,
    decodedOtherwise: outcome.decodedOtherwise,
    peakBytes: plan.peakBytes,
    bytesRead: plan.bytesRead,
    seconds: outcome.layerSeconds,
    ...speedOf(report),
  };
  return jsonDocument(value);
}

/** Rates over the layers that this run executed, and what the backend reaches on their matrix products alone. */
function speedOf({ outcome: { work, layerSeconds, productSeconds } }: CaptureReport) {
  const gflop = matmulFlops(work) / 1e9;
  return {
    gflopsPerSecond: gflop / layerSeconds,
    productGflopsPerSecond: gflop / productSeconds,
    share: productSeconds / layerSeconds,
  };
}

function tokensText(domains: readonly string[], tokens: readonly number[], sequences: number): string {
  const all = tokens.reduce((sum, count) => sum + count, 0);
  const each = domains.map((domain, i) => `${domain} ${formatCount(tokens[i] ?? 0)}`).join(", ");
  return `${formatCount(all)} tokens in ${formatCount(sequences)} sequences (${oneLine(each)})`;
}

function rowsByDomain({ request, outcome }: CaptureReport): number[] {
  const { domains, domainOf } = request.sequences;
  return domainTokens({ domains, domainOf, starts: outcome.rows.starts });
}

function domainTokens({
  domains,
  domainOf,
  starts,
}: Pick<CaptureRequest["sequences"], "domains" | "domainOf" | "starts">) {
  const tokens = domains.map(() => 0);
  for (const [s, domain] of domainOf.entries()) tokens[domain]! += starts[s + 1]! - starts[s]!;
  return tokens;
}
