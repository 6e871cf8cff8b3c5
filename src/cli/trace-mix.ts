import { InvalidInputError, type Problem, refuse } from "../core/errors.ts";
import { jsonDocument } from "../core/json.ts";
import { oneLine } from "../core/printable.ts";
import { formatCount, formatPercent } from "../core/units.ts";
import { textTable } from "../report/text-table.ts";
import { mixture } from "../solver/mixture/mixture.ts";
import type { RoutingTraceFile } from "../trace/container/open-trace.ts";
import { loadCountsTable } from "../trace/load-counts.ts";
import {
  type ExpertProfile,
  expertProfile,
  profileDistance,
  samplingDistance,
} from "../trace/stats/domain-profiles.ts";
import { processIo } from "./io.ts";
import { withSolvers } from "./solving.ts";
import { inStages, type StagesOptions } from "./stages.ts";
import { withTrace } from "./trace.ts";
import { oneOf } from "./words.ts";

export interface MixOptions extends StagesOptions {
  readonly domain?: string;
  readonly solver?: string;
  readonly json?: boolean;
}

interface Counted extends ExpertProfile {
  readonly name: string;
  readonly layers: readonly number[];
  readonly experts: number;
}

/** Which mixture of the domains of one trace has used its experts as another trace did. */
export async function traceMix(profilesFile: string, observedFile: string, options: MixOptions): Promise<void> {
  const io = processIo(true);
  const solver =
    options.solver === undefined ? undefined : oneOf(options.solver, Object.keys(mixture.solvers), "--solver");
  const counted = async (trace: RoutingTraceFile, domain?: string): Promise<Counted> => {
    const table = await loadCountsTable(trace, domain === undefined ? {} : { domain });
    return {
      name: domain ?? trace.name,
      layers: trace.header.layers,
      experts: trace.header.experts,
      ...expertProfile(table),
    };
  };
  const all = await inStages(io, profilesFile, options, () =>
    withTrace(profilesFile, async (trace) => {
      const { domains } = trace.header;
      if (domains.length < 2)
        refuse({
          file: profilesFile,
          expected: "a trace of two domains or more, whose profiles are mixed",
          found: domains.join(", ") || "none",
          hint: "moecast trace import --domain names the domain of each file",
        });
      const profiles: Counted[] = [];
      for (const domain of domains) profiles.push(await counted(trace, domain));
      return profiles;
    }),
  );
  const observed = await inStages(io, observedFile, options, () =>
    withTrace(observedFile, (trace) => counted(trace, options.domain)),
  );
  refuseOthers(all, observed, profilesFile, observedFile);
  const profiles = all.filter(({ choices }) => choices > 0);
  const layers = observed.layers.length;
  const answer = await withSolvers(io, observedFile, { quiet: options.quiet === true }, (solve) =>
    solve(
      mixture,
      {
        entries: observed.shares.length,
        profiles: profiles.map(({ shares }) => shares),
        observed: observed.shares,
        entryWeights: new Float64Array(observed.shares.length).fill(1 / (2 * layers)),
      },
      { gap: 1e-9, ...(solver === undefined ? {} : { solver }) },
    ),
  );
  const shares = rounded(answer.solution);
  const document = {
    profiles: profilesFile,
    observed: observedFile,
    shares: Object.fromEntries(profiles.map(({ name }, i) => [name, answer.solution[i]!])),
    /** Share of choices that the mixture has elsewhere. */
    unexplained: answer.objective,
    sampling: samplingDistance(observed, layers),
    nearestDomains: nearest(profiles, layers),
    choices: observed.choices,
    solver: answer.solver,
  };
  if (options.json === true) return io.out(jsonDocument(document));
  const rows = [
    ...profiles.map(({ name }, i) => [oneLine(name), formatPercent(answer.solution[i]!, 2)]),
    [
      "not explained",
      `${formatPercent(document.unexplained, 2)} of ${formatCount(observed.choices)} choices, mean over layers`,
    ],
    ["of sampling", `${formatPercent(document.sampling, 2)} from independent choices alone`],
    ["nearest domains", `differ in ${formatPercent(document.nearestDomains, 2)} of their choices`],
    ["which means", meaning(document)],
  ];
  const mix = profiles
    .flatMap(({ name }, i) => (shares[i]! > 0 ? [`${JSON.stringify(name)}: ${shares[i]!}`] : []))
    .join(", ");
  io.out(
    `${textTable(rows, { indent: "" }).join("\n")}\n\n# In a class of a scenario's traffic: shares of tokens, and of requests where those of all domains are as long.\ndomains: {${mix}}\n`,
  );
}

/** What the distance that is left says of the shares. */
function meaning({
  unexplained,
  sampling,
  nearestDomains,
}: {
  unexplained: number;
  sampling: number;
  nearestDomains: number;
}): string {
  if (unexplained <= 2 * sampling) return "a mixture of these domains, as far as so many choices can tell";
  if (unexplained < nearestDomains / 2)
    return "nearer to this mixture than domains are to one another: shares are rough";
  return "unlike any mixture of these domains: other texts, or another phase; do not rely on the shares";
}

/** The least distance between two domains: what they have in common cannot be told apart. */
function nearest(profiles: readonly Counted[], layers: number): number {
  let least = Infinity;
  for (const [i, a] of profiles.entries())
    for (const b of profiles.slice(i + 1)) least = Math.min(least, profileDistance(a.shares, b.shares, layers));
  return least;
}

/** Shares to four places whose sum is 1: the largest takes what rounding leaves. */
function rounded(shares: Float64Array): number[] {
  const units = Array.from(shares, (share) => Math.round(share * 10_000));
  units[units.indexOf(Math.max(...units))]! += 10_000 - units.reduce((sum, unit) => sum + unit, 0);
  return units.map((unit) => unit / 10_000);
}

function refuseOthers(
  profiles: readonly Counted[],
  observed: Counted,
  profilesFile: string,
  observedFile: string,
): void {
  const [{ experts, layers }] = profiles as [Counted];
  const problems: Problem[] = [];
  if (observed.experts !== experts)
    problems.push({
      file: observedFile,
      expected: `${experts} experts, as ${profilesFile} has`,
      found: observed.experts,
    });
  if (observed.layers.join() !== layers.join())
    problems.push({
      file: observedFile,
      expected: `layers ${layers.join(", ")}, as ${profilesFile} has`,
      found: observed.layers.join(", "),
    });
  if (observed.choices === 0) problems.push({ file: observedFile, expected: "choices of experts", found: "none" });
  if (profiles.filter(({ choices }) => choices > 0).length < 2)
    problems.push({ file: profilesFile, expected: "two domains with choices", found: "fewer" });
  if (problems.length > 0) throw new InvalidInputError(problems);
}
