import type { LoadedBackend } from "../capture/backends/backend.ts";
import { chooseBackend } from "../capture/backends/backends.ts";
import { type Checkpoint, openCheckpoint } from "../capture/checkpoint/open-checkpoint.ts";
import { type CapturePlan, type CaptureRequest, planCapture } from "../capture/record/capture-plan.ts";
import { captureRouting, plannedWork } from "../capture/record/capture-routing.ts";
import { refuseFullDisk } from "../capture/record/disk-space.ts";
import { domainFile } from "../capture/record/domain-files.ts";
import { matmulFlops } from "../capture/record/matmul-work.ts";
import { modelName } from "../capture/record/model-name.ts";
import { readTexts } from "../capture/record/read-texts.ts";
import { openWorkFolder, type WorkFolder } from "../capture/record/work-folder.ts";
import { sha256 } from "../core/digest.ts";
import { type ExitCode, exitCodes, UsageError } from "../core/errors.ts";
import { oneLine } from "../core/printable.ts";
import { version } from "../core/version.ts";
import { prepareOutput } from "../files/prepare-output.ts";
import { type CaptureReport, captureJson, capturePlanText, captureSummary } from "../report/capture-report.ts";
import { watchInterrupts } from "./interrupt.ts";
import { type Io, processIo } from "./io.ts";
import { progressLine } from "./progress.ts";

export interface CaptureOptions {
  readonly model?: string;
  readonly text?: readonly string[];
  readonly ids?: readonly string[];
  readonly output?: string;
  readonly backend: string;
  readonly layers?: number;
  readonly maxTokens?: number;
  readonly maxLength?: number;
  readonly generate?: number;
  readonly memory?: number;
  readonly scores?: boolean;
  readonly weights: boolean;
  readonly note?: readonly string[];
  readonly mkdir?: boolean;
  readonly work?: string;
  readonly restart?: boolean;
  readonly doctor?: boolean;
  readonly setup?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** Records a model's routing, or looks after the backends that execute it. */
export async function capture(options: CaptureOptions, colour: boolean): Promise<ExitCode> {
  const io = processIo(colour);
  if (options.doctor === true) {
    const { captureDoctor } = await import("./capture-doctor.ts");
    return captureDoctor(io, options.json === true);
  }
  if (options.setup !== undefined) {
    const { captureSetup } = await import("./capture-setup.ts");
    return captureSetup(io, options.setup);
  }
  const { model, output } = options;
  if (model === undefined || output === undefined)
    throw new UsageError(
      "give --model <folder>, --text or --ids <file...> and -o <file>; or --doctor, or --setup <backend>",
    );
  if ((options.text === undefined) === (options.ids === undefined))
    throw new UsageError("give either --text <file...> or --ids <file...>");
  await prepareOutput(output, { ...options, anyOrder: true });
  const checkpoint = await openCheckpoint(model);
  try {
    const backend = await chooseBackend(options.backend);
    try {
      return await record(io, checkpoint, backend, output, options);
    } finally {
      backend.close();
    }
  } finally {
    await checkpoint.close();
  }
}

/** Longest sequence unless told otherwise, where the model's context allows it. */
const sequenceTokensDefault = 2048;
/** Share of the free memory that is taken unless told otherwise. */
const memoryShare = 0.8;

async function record(
  io: Io,
  checkpoint: Checkpoint,
  backend: LoadedBackend,
  output: string,
  options: CaptureOptions,
): Promise<ExitCode> {
  const { text, ids, quiet, work = `${output}.work` } = options;
  const { contextTokensMax } = checkpoint.plan;
  const decodeSteps = options.generate ?? 0;
  const tokensPerSequence = options.maxLength ?? Math.min(contextTokensMax - decodeSteps, sequenceTokensDefault);
  if (tokensPerSequence < 1 || tokensPerSequence + decodeSteps > contextTokensMax)
    throw new UsageError(
      `--max-length and --generate: the model's context holds ${contextTokensMax} tokens, ` +
        `not ${tokensPerSequence} and ${decodeSteps} decoded ones`,
    );
  const { sequences, files } = await readTexts(checkpoint, {
    files: (text ?? ids ?? []).map(domainFile),
    asIds: ids !== undefined,
    tokensPerSequence,
    tokensMax: options.maxTokens ?? null,
  });
  const request: CaptureRequest = {
    checkpoint,
    backend,
    sequences,
    layerCount: options.layers ?? null,
    decodeSteps,
    keepsWeights: options.weights,
    keepsScores: options.scores === true,
    memoryBytes: options.memory ?? Math.floor(memoryShare * process.availableMemory()),
  };
  const plan = planCapture(request);
  const model = modelName(options.model ?? "");
  if (quiet !== true) io.err(capturePlanText(model, request, plan));
  const folder = await openWorkFolder(
    work,
    { inputs: inputsOf(request, files, options), startedAt: recordingDate() },
    options.restart === true,
  );
  const watch = watchInterrupts(io);
  try {
    const { decoded, states, layers } = folder.journal;
    if (states !== null || decoded.length > 0)
      io.err(`taking up ${oneLine(work)}: ${layers.length} of ${plan.recorded.layers.length} layers are done\n`);
    else await refuseFullDisk(diskNeeds(plan, work, output)).catch((error: unknown) => giveUp(folder, error));
    const progress = progressOf(io, model, plan, sequences.starts, quiet === true);
    const grouping = `documents in parts of at most ${tokensPerSequence} tokens, each from position 0`;
    const watched = { onDecoded: progress.onDecoded, onLayer: progress.onLayer, signal: watch.signal };
    const outcome = await captureRouting(
      request,
      plan,
      { model, files, grouping, notes: options.note ?? [] },
      output,
      folder,
      watched,
    ).finally(progress.clear);
    const report: CaptureReport = { output, model, request, plan, outcome };
    io.out(options.json === true ? captureJson(report) : captureSummary(report));
    return outcome.complete ? exitCodes.ok : watch.code();
  } finally {
    watch.stop();
    await folder.release();
  }
}

const diskNeeds = (plan: CapturePlan, work: string, output: string) => [
  { what: "of unfinished work", path: work, bytes: plan.workBytes },
  { what: "of trace", path: output, bytes: plan.traceBytes },
];

async function giveUp(folder: WorkFolder, error: unknown): Promise<never> {
  await folder.remove();
  throw error;
}

/** Everything that, were it different, would make another recording. */
function inputsOf(
  { checkpoint, backend, layerCount, decodeSteps, keepsWeights, keepsScores, sequences }: CaptureRequest,
  files: readonly { readonly name: string; readonly sha256: string }[],
  { maxTokens, maxLength }: CaptureOptions,
): Record<string, string> {
  const versions = Object.entries(backend.versions).map(([name, installed]) => `${name} ${installed}`);
  return {
    moecast: version,
    "--model": `sha256 ${checkpoint.digest}`,
    "--backend": [`${backend.id} on ${backend.device}`, ...versions].join(", "),
    ...Object.fromEntries(files.map(({ name, sha256: digest }) => [`text ${name}`, `sha256 ${digest}`])),
    "token ids": `sha256 ${sha256(new Uint8Array(sequences.tokens.buffer))}`,
    "--max-tokens": String(maxTokens ?? "none"),
    "--max-length": String(maxLength ?? "default"),
    "--layers": String(layerCount ?? "all"),
    "--generate": String(decodeSteps),
    "--weights": keepsWeights ? "yes" : "no",
    "--scores": keepsScores ? "yes" : "no",
  };
}

/** Now, or the time in SOURCE_DATE_EPOCH, with which the same recording has the same bytes. */
function recordingDate(): string {
  const epoch = Number(process.env["SOURCE_DATE_EPOCH"] ?? Number.NaN);
  return new Date(Number.isFinite(epoch) ? epoch * 1000 : Date.now()).toISOString();
}

/** Progress in prompts while decoding, then in tokens times layers, each layer weighing as much as its operations. */
function progressOf(io: Io, model: string, plan: CapturePlan, starts: Uint32Array, quiet: boolean) {
  const flops = plannedWork(plan, starts).map(matmulFlops);
  const all = flops.reduce((sum, of) => sum + of, 0);
  const before = flops.map((_of, layer) => flops.slice(0, layer).reduce((sum, of) => sum + of, 0));
  const tokens = starts.at(-1)!;
  const decoding = quiet ? null : progressLine(io, `${model}: decoding`, "prompts");
  const layers = quiet ? null : progressLine(io, model, "tokens x layers");
  return {
    onDecoded: (done: number, prompts: number) => decoding?.update(done, prompts),
    onLayer: (layer: number, layerTokens: number) => {
      decoding?.clear();
      const share = (before[layer]! + (flops[layer]! * Math.min(tokens, layerTokens)) / tokens) / all;
      layers?.update(Math.floor(share * tokens * flops.length), tokens * flops.length);
    },
    clear: () => {
      decoding?.clear();
      layers?.clear();
    },
  };
}
