import { refuse } from "../core/errors.ts";
import { engineIdOn, engineProfileNamed, parseEngineProfile } from "../engine/catalogue.ts";
import type { EngineProfile } from "../engine/engine-profile.ts";
import { engineElsewhere } from "../engine/platforms.ts";
import type { EngineProfileFile } from "../engine/profile-schema.ts";
import { resolveEngine as engineOf } from "../engine/resolve-engine.ts";
import { architectureOf } from "../hardware/architectures.ts";
import type { Device } from "../hardware/device.ts";
import type { ModelSpec } from "../models/spec.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { SchedulerConfig } from "../sim/config.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { type FileReader, readJson } from "./file-reader.ts";
import { type InputRow, inputRow } from "./input-row.ts";
import { located, locatedAsync } from "./located.ts";
import { provenanceOf } from "./profile-provenance.ts";

/** The serving engine of a scenario. */
export interface ResolvedEngine {
  readonly engine: EngineProfile;
  readonly ledger: readonly LedgerEntry[];
  readonly inputs: readonly InputRow[];
}

/**
 * Reads the engine profile that a scenario names. On a device whose engines are built for a platform of its own, the name
 * of an engine stands for its build there.
 */
export async function resolveEngine(scenario: Scenario, reader: FileReader, device: Device): Promise<ResolvedEngine> {
  const { file, id: named = "" } = scenario.engine;
  const id = engineIdOn(device.platform, named);
  const inputs: InputRow[] = [];
  const profile =
    file === undefined
      ? located(scenario, ["engine", "id"], () => engineOn(id, device))
      : await locatedAsync(scenario, ["engine", "file"], async () => {
          const read = await readJson(reader, scenario.file, file);
          inputs.push(inputRow("engine profile", read.file, read.text));
          return parseEngineProfile(read.json, read.file);
        });
  if (scenario.engine.schedulerRecvInterval !== undefined && profile.defaults.recvInterval === undefined)
    located(scenario, ["engine", "schedulerRecvInterval"], () =>
      refuse({
        at: "",
        expected: `no interval: a scheduler of ${profile.name} looks for requests every step`,
        found: scenario.engine.schedulerRecvInterval,
      }),
    );
  // How requests are handed over counts where pools do it, and how memory is set aside takes no time.
  const { handover: _handover, reservesContext: _reservesContext, ...served } = profile;
  const provenance = provenanceOf(served);
  const foreign = isForeign(profile, device);
  const built = file !== undefined || id === named ? "" : ` (${id}, as ${named} is built for ${device.name})`;
  const { version } = scenario.engine;
  return {
    engine: engineOf(profile, version),
    inputs,
    ledger: [
      {
        topic: "engine",
        fidelity: foreign ? "assumed" : provenance.fidelity,
        detail: `${profile.name} ${version ?? profile.version}${built}: ${provenance.text}${versionText(profile, version)}${foreign ? `; figures of CUDA GPUs, none are known on ${device.name}` : ""}`,
      },
    ],
  };
}

/** The profile of an engine of the catalogue that runs on a device. */
function engineOn(id: string, { id: deviceId, name, platform }: Device): EngineProfileFile {
  const profile = engineProfileNamed(id);
  const computeCapability = architectureOf(deviceId)?.computeCapability ?? null;
  const problem = engineElsewhere(id, { name, platform, computeCapability });
  return problem === null ? profile : refuse(problem);
}

/** Whether a device has a platform of its own, and the engine was measured on GPUs of another. */
function isForeign({ id, kernelExcess }: EngineProfileFile, { platform }: Device): boolean {
  return platform !== undefined && !id.endsWith(`-${platform}`) && kernelExcess.kind === "measured";
}

/** What the profile knows of the version that is asked for, in words; empty where no version is asked for. */
function versionText({ versions }: EngineProfileFile, version: string | undefined): string {
  if (version === undefined) return "";
  if (Object.hasOwn(versions, version)) return "; factors of this version applied";
  const known = Object.keys(versions);
  return `; not a fitted version (${known.join(", ") || "there are none"}): the figures of all versions`;
}

/**
 * The scheduler: the engine's defaults under the scenario's flags. `most`: what the exchange with experts leaves of the
 * defaults.
 */
export function schedulerOf(
  section: Scenario["engine"],
  engine: EngineProfile,
  model: ModelSpec,
  most: Partial<Pick<SchedulerConfig, "maxBatchTokens" | "maxSequences">>,
): SchedulerConfig {
  const { defaults } = engine;
  const { maxBatchTokens = Number.POSITIVE_INFINITY, maxSequences = Number.POSITIVE_INFINITY } = most;
  return {
    maxBatchTokens: section.maxNumBatchedTokens ?? Math.min(defaults.maxBatchTokens, maxBatchTokens),
    maxSequences: section.maxNumSeqs ?? Math.min(defaults.maxSequences, maxSequences),
    recvInterval: section.schedulerRecvInterval ?? defaults.recvInterval,
    chunkedPrefill: section.enableChunkedPrefill ?? defaults.chunkedPrefill,
    prefixCaching: section.enablePrefixCaching ?? defaults.prefixCaching,
    blockTokens: section.blockSize ?? defaults.blockTokens,
    memoryUtilisation: section.gpuMemoryUtilization ?? defaults.memoryUtilisation,
    contextTokensMax: section.maxModelLen ?? model.contextTokensMax,
    ...(engine.reservesContext ? { reserved: reservedContext(section, model) } : {}),
  };
}

/** The fewest tokens to which llama.cpp lowers a context that nobody gave (`--fit-ctx`). */
const fittedTokensMin = 4096;

/**
 * What an engine that sets its cache aside at start takes for its context. As many slots as a scenario gives have a share each; slots
 * that it leaves to the engine share one context. A context that it leaves to the engine is the model's, or what fits.
 */
function reservedContext(
  { maxModelLen, maxNumSeqs }: Scenario["engine"],
  { contextTokensMax }: ModelSpec,
): NonNullable<SchedulerConfig["reserved"]> {
  if (maxModelLen === undefined) return { contexts: 1, tokensMin: Math.min(fittedTokensMin, contextTokensMax) };
  return { contexts: maxNumSeqs ?? 1, tokensMin: maxModelLen };
}
