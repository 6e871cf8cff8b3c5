import { InvalidInputError, type Problem, refuse } from "../core/errors.ts";
import { canonicalJson } from "../core/json.ts";
import { formatPercent } from "../core/units.ts";
import { cooperatively } from "../files/cooperative.ts";
import { routableExperts } from "../models/expert-choices.ts";
import type { ModelSpec, MoeFeedForward, Router } from "../models/spec.ts";
import { fromScenario } from "../scenario/file-path.ts";
import type { Scenario } from "../scenario/parse-scenario.ts";
import type { Routing } from "../sim/config.ts";
import type { LedgerEntry } from "../sim/result.ts";
import { openRoutingTrace } from "../trace/container/open-trace.ts";
import { firstExperts } from "../trace/first-experts.ts";
import { loadRoutingTable } from "../trace/load-routing.ts";
import type { RequestTable } from "../trace/request-table.ts";
import type { RoutingTable } from "../trace/routing-table.ts";
import { rowsOfDomain } from "../trace/rows-of-domain.ts";
import type { ChoiceGroups } from "../trace/synthesis/choice-groups.ts";
import { parametricSteps } from "../trace/synthesis/parametric-routing.ts";
import { routingFromPublished } from "../trace/synthesis/published-routing.ts";
import { synthesisSteps } from "../trace/synthesis/synthesise-routing.ts";
import { type AppliedTransform, applyTransforms, filesOf, needsOf } from "../trace/transform/apply-transforms.ts";
import type { FitSource } from "./expert-loads.ts";
import type { FileReader, Surroundings } from "./file-reader.ts";
import { type InputRow, inputRow } from "./input-row.ts";
import { type LayerMapChoice, layerMapOf, moeLayerIndices } from "./layer-map.ts";
import { located, locatedAsync } from "./located.ts";
import { dividedRouting } from "./prefetch-training.ts";
import { parametricFigures, uniformFigures } from "./preset-routing.ts";

/** The routing of a scenario. */
export interface ResolvedRouting {
  readonly routing: Routing;
  /** Rows to fit policies on; null for uniform routing. */
  readonly source: FitSource | null;
  readonly layerMap: LayerMapChoice;
  /** Files of transforms. */
  readonly inputs: readonly InputRow[];
  readonly ledger: readonly LedgerEntry[];
}

/** Routing that is not replayed but expected. */
const expected = (popularityCv: number, ledger: readonly LedgerEntry[]): ResolvedRouting => ({
  routing: { kind: "uniform", popularityCv },
  source: null,
  layerMap: "identity",
  inputs: [],
  ledger,
});

/** Reads or synthesises the routing and maps its layers to the model's. */
export async function resolveRouting(
  scenario: Scenario,
  model: ModelSpec,
  moe: MoeFeedForward | null,
  requests: RequestTable,
  reader: Surroundings,
  signal?: AbortSignal,
): Promise<ResolvedRouting> {
  const section = scenario.routing;
  if (section.kind === "uniform") {
    const { popularityCv, ledger } = uniformFigures(section, model, moe === null ? null : routerOf(moe));
    return expected(popularityCv, ledger);
  }
  if (moe === null)
    refuse({
      ...scenario.place(["routing", "kind"]),
      at: "routing.kind",
      expected: `uniform: ${model.name} has no routed experts`,
      found: section.kind,
    });
  const loaded = await routingTable(scenario, model, moe, reader, signal);
  checkShape(scenario, loaded.table, moe);
  // What transforms leave of the weights is not what the model weighed.
  const files = await transformFiles(scenario, section.transforms, reader);
  const { table: transformed, applied } =
    section.transforms.length === 0
      ? { table: loaded.table, applied: [] }
      : applyTransforms(
          loaded.table,
          section.transforms,
          (index, step) => located(scenario, ["routing", "transforms", index], step),
          files.map((file) => file?.text),
        );
  // Experts that return their input lie on no device.
  const whole = firstExperts(transformed, moe.experts);
  const domain = section.kind === "parametric" ? undefined : section.domain;
  const layerMap = section.kind === "parametric" ? "identity" : section.layerMap;
  const chosen =
    domain === undefined ? whole : located(scenario, ["routing", "domain"], () => rowsOfDomain(whole, domain));
  const share = scenario.policy.offload?.prefetch?.fit?.share;
  const { replayed, ...divided } =
    share === undefined
      ? { replayed: chosen }
      : located(scenario, ["policy", "offload", "prefetch", "fit", "share"], () => dividedRouting(chosen, share));
  const map = located(scenario, ["routing", "layerMap"], () => layerMapOf(layerMap, replayed, model));
  return {
    routing: {
      kind: "replay",
      table: replayed,
      layerMap: map,
      start: section.start ?? defaultStart(requests, replayed),
    },
    source: { whole, replayed, ...divided },
    layerMap,
    inputs: files.flatMap((file) => (file === undefined ? [] : [inputRow("routing transform", file.name, file.text)])),
    ledger: [...routingLedger(replayed, section.kind), ...loaded.preset, ...applied.map(transformEntry)],
  };
}

/** The file that each transform reads, undefined for those that read none. */
async function transformFiles(scenario: Scenario, chosen: Parameters<typeof filesOf>[0], reader: FileReader) {
  const files: ({ readonly name: string; readonly text: string } | undefined)[] = [];
  for (const [index, name] of filesOf(chosen).entries())
    files.push(
      name === undefined
        ? undefined
        : await locatedAsync(scenario, ["routing", "transforms", index, "file"], async () => ({
            name,
            text: await reader.readText(fromScenario(scenario.file, name)),
          })),
    );
  return files;
}

/** Whether a policy looks at router weights. */
function weighs({ policies, policy: { offload } }: Scenario): boolean {
  if (offload === undefined) return false;
  return offload.miss.kind !== "fetch" || policies.caches[offload.kind]!.needs.includes("weights");
}

/** The experts as their router sees them: those that return their input are among its choices. */
const routerOf = (moe: MoeFeedForward): MoeFeedForward => ({ ...moe, experts: routableExperts(moe) });

/**
 * Requests start at sequences of their own while the trace lasts, else at random rows: reuse does not repeat itself.
 */
function defaultStart(requests: RequestTable, table: RoutingTable): "zero" | "random" {
  let tokens = 0;
  for (let i = 0; i < requests.count; i++) tokens += (requests.promptTokens[i] ?? 0) + (requests.outputTokens[i] ?? 0);
  return tokens > table.rows ? "random" : "zero";
}

async function routingTable(
  scenario: Scenario,
  model: ModelSpec,
  moe: MoeFeedForward,
  { tables }: Surroundings,
  signal: AbortSignal | undefined,
): Promise<{ readonly table: RoutingTable; readonly preset: readonly LedgerEntry[] }> {
  const section = scenario.routing;
  const { seed } = scenario;
  /** The table that `make` makes of these values and of nothing else. */
  const kept = (values: unknown, make: () => Promise<RoutingTable>): Promise<RoutingTable> =>
    tables === undefined ? make() : tables.table(canonicalJson([section.kind, values]), make);
  switch (section.kind) {
    case "trace":
      return locatedAsync(scenario, ["routing", "file"], async () => {
        const file = fromScenario(scenario.file, section.file);
        const bytesMax = section.memory;
        const also = new Set([...needsOf(section.transforms), ...(weighs(scenario) ? (["weights"] as const) : [])]);
        // A transform reads one table and writes another.
        const copies = Math.min(section.transforms.length + Number(routableExperts(moe) > moe.experts), 2);
        const table = await kept([file, bytesMax ?? null, [...also].sort(), copies], async () => {
          const trace = await openRoutingTrace(file);
          try {
            return await loadRoutingTable(trace, { ...(bytesMax === undefined ? {} : { bytesMax }), also, copies });
          } finally {
            await trace.close();
          }
        });
        return { table, preset: [] };
      });
    case "published":
      return locatedAsync(scenario, ["routing", "id"], async () => {
        const tokens = section.rows;
        const table = await kept([section.id, tokens, seed], () =>
          cooperatively(synthesisSteps(routingFromPublished(section.id), { tokens, seed }), signal),
        );
        return { table, preset: [] };
      });
    case "parametric":
      return locatedAsync(scenario, ["routing"], async () => {
        const { ledger, ...figures } = parametricFigures(scenario, section, model, routerOf(moe));
        const values = {
          experts: routableExperts(moe),
          topK: moe.topK,
          layers: moeLayerIndices(model).length,
          ...choiceGroups(moe.router, section.grouped),
          ...figures,
          tokens: section.rows,
          seed,
        };
        return { table: await kept(values, () => cooperatively(parametricSteps(values), signal)), preset: ledger };
      });
    case "uniform":
      return refuse({ at: "routing.kind", expected: "routing that is replayed", found: section.kind });
  }
}

/** Groups of a router's choices: its own rule; or equally many experts in each, or no groups, as a scenario says. */
function choiceGroups({ groups }: Router, grouped: boolean | undefined): ChoiceGroups {
  if (groups === null || grouped === false) return { groups: 1 };
  if (grouped === true || groups.topKPerGroup !== undefined) return { groups: groups.count };
  return groups.kept < groups.count ? { groups: groups.count, groupsKept: groups.kept } : { groups: 1 };
}

function transformEntry({ name, detail, removedShare, replacedShare }: AppliedTransform): LedgerEntry {
  const others = replacedShare > 0 ? `, ${formatPercent(replacedShare)} go to another` : "";
  const lossy = removedShare + replacedShare > 0 ? "; the model's answers change (lossy)" : "";
  return {
    topic: "routing transform",
    fidelity: "emulated",
    detail: `${name}: ${detail}; ${formatPercent(removedShare)} of the recorded choices are left without an expert${others}${lossy}`,
  };
}

function checkShape(scenario: Scenario, table: RoutingTable, moe: MoeFeedForward): void {
  const problems: Problem[] = [];
  const { zeroExperts = 0 } = moe;
  const compare = (what: string, expected: number, found: number, hint?: string) => {
    if (expected === found) return;
    problems.push({
      ...scenario.place(["routing"]),
      at: "routing",
      expected: `routing of ${expected} ${what}, as the model has`,
      found: `${found} in ${table.origin.name}`,
      ...(hint === undefined ? {} : { hint }),
    });
  };
  const beside = zeroExperts === 0 ? "" : ` (${moe.experts}, and ${zeroExperts} that return their input)`;
  const experts = routableExperts(moe);
  const unseen =
    table.experts < experts ? `if the recording did not say it: moecast trace import --experts ${experts}` : undefined;
  compare(`experts${beside}`, experts, table.experts, unseen);
  compare("experts per token", moe.topK, table.topK);
  if (problems.length > 0) throw new InvalidInputError(problems);
}

/** Refuses request classes whose domain the routing does not have. */
export function checkDomains(scenario: Scenario, requests: RequestTable, routing: Routing): void {
  if (routing.kind !== "replay" || requests.domainOf === null) return;
  const missing = requests.domains.filter((domain) => !routing.table.domains.includes(domain));
  if (missing.length === 0) return;
  refuse({
    ...scenario.place(["traffic"]),
    at: "traffic",
    expected: `domains of ${routing.table.origin.name}: ${routing.table.domains.join(", ")}`,
    found: missing.join(", "),
  });
}

function routingLedger({ origin, rows }: RoutingTable, kind: Scenario["routing"]["kind"]): LedgerEntry[] {
  const notes = origin.notes.length === 0 ? "" : `; ${origin.notes.join("; ")}`;
  const recorded = origin.kind === "recorded";
  return [
    {
      topic: "routing",
      fidelity: recorded ? "replayed" : kind === "parametric" ? "assumed" : "fitted",
      detail: `${rows} rows ${recorded ? "of" : "synthesised from"} ${origin.name}${notes}`,
    },
    {
      topic: "phase",
      fidelity: origin.phase === "mixed" ? "replayed" : "assumed",
      detail: `rows recorded in phase ${origin.phase} stand for prompts and for output alike`,
    },
    ...(recorded
      ? []
      : [
          {
            topic: "batch of sequences",
            fidelity: "assumed",
            detail:
              "sequences are drawn independently; sequences that start together share more experts for their first tokens",
          } as const,
        ]),
  ];
}
