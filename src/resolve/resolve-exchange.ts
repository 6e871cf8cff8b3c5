import { InvalidInputError, type Problem } from "../core/errors.ts";
import type { EngineProfile } from "../engine/engine-profile.ts";
import { enginesWith, exchangeChooser } from "../engine/exchange/choosers.ts";
import type { ExchangeChoice, ExchangeOptions, ExchangeSite } from "../engine/exchange/exchange-options.ts";
import { exchangeLibrary, exchangeWords } from "../engine/exchange/expert-exchange.ts";
import { architectureOf } from "../hardware/architectures.ts";
import type { Node } from "../hardware/device.ts";
import type { MoeFeedForward } from "../models/spec.ts";
import { exchangeKeys } from "../scenario/exchange-options.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { SchedulerConfig, SpeculationConfig } from "../sim/config.ts";
import { exchangesTokens, expertGroupRanks, type Mapping, sharersOf } from "../sim/mapping.ts";
import type { LedgerEntry } from "../sim/result.ts";

/** An engine with the exchange that a scenario chose, and what the choice asks of the scheduler. */
export interface ResolvedExchange {
  readonly engine: EngineProfile;
  readonly schedulerMax: Partial<Pick<SchedulerConfig, "maxSequences" | "maxBatchTokens">>;
  readonly ledger: readonly LedgerEntry[];
}

/** The deployment of a scenario. */
export interface ExchangeSetting {
  readonly moe: MoeFeedForward | null;
  readonly mapping: Mapping;
  readonly node: Node;
  readonly speculation: SpeculationConfig | null;
}

/**
 * Applies the options on the exchange with experts, or what the engine picks without them. Refuses options that the
 * engine does not have, that it does not combine, and that nothing would be exchanged with.
 */
export function resolveExchange(scenario: Scenario, engine: EngineProfile, setting: ExchangeSetting): ResolvedExchange {
  const options: ExchangeOptions = scenario.engine;
  const stated = exchangeKeys.filter((key) => options[key] !== undefined);
  const { moe, mapping } = setting;
  const chooser = exchangeChooser(engine.id);
  const foreign = stated.filter((key) => chooser?.keys.includes(key) !== true);
  if (foreign.length > 0)
    throw placed(
      scenario,
      foreign.map((key) => ({
        at: key,
        expected:
          chooser === null
            ? `nothing: ${engine.name} exchanges as its profile says, other ways have no figures`
            : `nothing: ${engine.name} has no such option`,
        found: options[key],
        hint: ownOptions(key, engine, chooser?.keys ?? []),
      })),
    );
  if (moe === null || !exchangesTokens(mapping)) {
    const expected =
      moe === null
        ? "nothing: the model has no routed experts"
        : mapping.edp > 1
          ? "parallel.dp * parallel.cp above parallel.edp: a copy of the experts that serves one tensor-parallel group sums results in an all-reduce, and no token is sent"
          : "parallel.dp or parallel.cp above 1: without data- or context-parallel attention an all-reduce sums the results of experts, and no token is sent";
    if (stated.length > 0)
      throw placed(
        scenario,
        stated.map((key) => ({ at: key, expected, found: options[key] })),
      );
    return { engine, schedulerMax: {}, ledger: [] };
  }
  const choice = chooser?.choose(options, siteOf(scenario, setting, moe)) ?? null;
  const foreignLibrary = otherPlatform(options, choice, setting);
  if (foreignLibrary.length > 0) throw placed(scenario, foreignLibrary);
  const problems = [...(choice?.problems ?? []), ...slicedExperts(options, choice, mapping)];
  if (problems.length > 0) throw placed(scenario, problems);
  const chosen = { ...engine, ...choice?.features };
  return {
    engine: chosen,
    schedulerMax: choice === null ? {} : schedulerMax(scenario, choice, setting),
    ledger: [
      {
        topic: "expert exchange",
        fidelity: stated.length > 0 ? "emulated" : "assumed",
        detail: `${exchangeWords[chosen.expertExchange]}${overlapWords(chosen)}: ${originOf(engine, choice, stated.length > 0)}`,
      },
    ],
  };
}

/** Libraries send tokens to devices with whole experts. */
function slicedExperts(options: ExchangeOptions, choice: ExchangeChoice | null, mapping: Mapping): Problem[] {
  const exchange = choice?.features.expertExchange;
  const ranks = expertGroupRanks(mapping);
  if (choice === null || exchange === undefined || exchangeLibrary(exchange) === null || mapping.ep === ranks)
    return [];
  const expected = `parallel.ep ${ranks} beside it: ${exchangeWords[exchange]} sends tokens to devices with whole experts`;
  return [{ at: choice.key, expected, found: options[choice.key] }];
}

/** The libraries are written for CUDA. */
function otherPlatform(options: ExchangeOptions, choice: ExchangeChoice | null, { node }: ExchangeSetting): Problem[] {
  const exchange = choice?.features.expertExchange;
  if (choice === null || exchange === undefined || exchangeLibrary(exchange) === null) return [];
  const { platform, name } = node.device;
  if (platform === undefined || options[choice.key] === undefined) return [];
  return [
    {
      at: choice.key,
      expected: `an exchange that ${name} has: ${exchangeWords[exchange]} needs CUDA`,
      found: options[choice.key],
    },
  ];
}

function siteOf(scenario: Scenario, { mapping, node }: ExchangeSetting, moe: MoeFeedForward): ExchangeSite {
  const { device, devicesPerNode } = node;
  return {
    version: scenario.engine.version,
    ranks: expertGroupRanks(mapping),
    expertRanks: mapping.ep,
    devicesPerNode,
    nvlinkDomain: device.scaleUp === null ? 1 : Math.max(devicesPerNode, device.scaleUpDomain),
    deviceName: device.name,
    computeCapability: architectureOf(device.id)?.computeCapability ?? null,
    topK: moe.topK,
  };
}

function overlapWords({ overlapsBatches, overlapsCombine }: EngineProfile): string {
  return `${overlapsBatches ? ", half batches overlap" : ""}${overlapsCombine === true ? ", combining beside the last product" : ""}`;
}

function originOf(engine: EngineProfile, choice: ExchangeChoice | null, stated: boolean): string {
  if (choice === null) return `as the profile of ${engine.name} says`;
  return stated ? choice.words : `${choice.words}, as ${engine.name} does by default`;
}

/**
 * Sequences and tokens of a step that the buffers of the exchange hold. A scenario that states more is refused; one that
 * states nothing gets them, since the engine would not start or stop at the first larger step.
 */
function schedulerMax(
  scenario: Scenario,
  { stepTokensMax }: ExchangeChoice,
  { mapping, speculation }: ExchangeSetting,
): ResolvedExchange["schedulerMax"] {
  if (stepTokensMax === undefined) return {};
  const perSequence = 1 + (speculation?.draftTokens ?? 0);
  const maxSequences = Math.max(1, Math.floor((stepTokensMax.decodes * sharersOf(mapping)) / perSequence));
  const maxBatchTokens = stepTokensMax.prompts * sharersOf(mapping);
  const problems: Problem[] = (
    [
      ["maxNumSeqs", maxSequences],
      ["maxNumBatchedTokens", maxBatchTokens],
    ] as const
  ).flatMap(([key, most]) => {
    const found = scenario.engine[key];
    if (found === undefined || found <= most) return [];
    const expected = `at most ${most}: what low-latency dispatch has buffers for`;
    return [{ at: key, expected, found, hint: "raise engine.deepepNumMaxDispatchTokensPerRank, up to 1024" }];
  });
  if (problems.length > 0) throw placed(scenario, problems);
  return { maxSequences, ...(Number.isFinite(maxBatchTokens) ? { maxBatchTokens } : {}) };
}

/** What an engine has in place of an option that it lacks. */
function ownOptions(key: string, engine: EngineProfile, keys: readonly string[]): string {
  const others = enginesWith(key).join(", ");
  return keys.length === 0 ? `an option of ${others}` : `an option of ${others}; ${engine.name} has ${keys.join(", ")}`;
}

/** Problems whose `at` is a key of the engine section, placed in the scenario. */
function placed(scenario: Scenario, problems: readonly Problem[]): InvalidInputError {
  return new InvalidInputError(
    problems.map((problem) => {
      const path = ["engine", problem.at ?? ""];
      return { ...problem, ...scenario.place(path), at: path.join(".") };
    }),
  );
}
