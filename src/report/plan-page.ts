import { formatCount, formatNumber, formatPercent } from "../core/units.ts";
import type { ObjectiveAnswer, PlanCandidate, PlanDocument } from "../plan/answer/plan-document.ts";
import type { Sensitivity } from "../plan/answer/sensitivity.ts";
import { tooShort } from "../plan/search/judge-track.ts";
import { milliseconds } from "./labels.ts";
import type { Page, PageColumn, PageLine, PageSection } from "./page.ts";
import { failureSection } from "./plan-failures.ts";
import { planFrontier } from "./plan-frontier.ts";
import { candidatesById, chanceText, planLoad, planVerdict } from "./plan-verdict.ts";

/** What was written of a plan. */
export interface PlanFiles {
  readonly folder: string;
  readonly written: readonly {
    readonly scenario: string;
    readonly folder: string;
    readonly refused: readonly { readonly choice: string; readonly reason: string }[];
  }[];
}

/** A plan as a page: the verdict, the best deployments, what would change it, the frontier, and why the others failed. */
export function planPage(plan: PlanDocument, files: PlanFiles | null = null): Page {
  const { scenario, space, objectives } = plan;
  return {
    title: scenario.name,
    aside: plan.interrupted ? "plan, interrupted" : "plan",
    subtitle: [
      ...(scenario.description === "" ? [] : [{ text: scenario.description }]),
      {
        text: planLoad(plan),
        quiet: true,
      },
      {
        text: `${formatCount(space.candidates)} deployments of ${formatCount(space.layouts)} layouts, at most ${formatCount(space.devicesMax)} devices${space.devicesAssumed ? " (no budget was stated)" : ""}`,
        quiet: true,
      },
    ],
    headline: planVerdict(plan),
    tone: objectives.every(({ found }) => found.length > 0) ? "good" : "bad",
    notes: planNotes(plan),
    sections: [
      ...objectives.flatMap((answer) => answerSection(answer, plan)),
      ...planSections(plan),
      ...planFrontier(plan),
      ...failureSection(plan),
      ...filesSection(files),
      effortSection(plan),
    ],
  };
}

/** What is known of the answer: the best of each hardware and engine, chances, what would change it. */
export const planSections = (plan: PlanDocument): PageSection[] => [
  ...siteSection(plan),
  ...chanceSection(plan),
  ...sensitivitySection(plan.sensitivity),
];

/** Deployments of which even the longest run does not tell whether they keep up: any of them may be better than what was found. */
function undecided({ candidates }: PlanDocument): PageLine[] {
  const count = candidates.filter(({ cause }) => cause === tooShort).length;
  return count === 0
    ? []
    : [
        {
          text: `${formatCount(count)} deployments could not be judged: their longest runs are too short to tell whether they keep up. More traffic.requests would.`,
          tone: "warn",
        },
      ];
}

/** What a reader needs to know beside the verdict. */
export function planNotes(plan: PlanDocument): PageLine[] {
  const unvalidated = plan.finalists[0]?.unvalidated ?? null;
  return [
    ...(unvalidated === null ? [] : [{ text: `Unvalidated: ${unvalidated}.`, tone: "warn" as const }]),
    ...undecided(plan),
    ...plan.space.leftOut.map(({ name, reason }) => ({ text: `Left out: ${name}: ${reason.split("\n")[0]}` })),
  ];
}

const columns: readonly PageColumn[] = [
  { header: "id", dispensable: 1 },
  { header: "devices", align: "right" },
  { header: "$/h", align: "right", dispensable: 4 },
  { header: "objective", align: "right" },
  { header: "TTFT p99", align: "right", dispensable: 5 },
  { header: "TPOT p50", align: "right", dispensable: 6 },
  { header: "tightest", align: "right", dispensable: 3 },
  { header: "deployment" },
];

const shownMax = 10;

function answerSection(answer: ObjectiveAnswer, plan: PlanDocument): PageSection[] {
  if (answer.found.length === 0) return [];
  const known = candidatesById(plan);
  return [
    {
      kind: "table",
      title: `Deployments by ${answer.title}`,
      note:
        answer.name === "frontier"
          ? "the points of the frontier, whatever the SLOs"
          : "the best of each layout that meets the SLOs over all requests",
      columns,
      rows: answer.found.slice(0, shownMax).map(({ id, text, shown }) => {
        const { name, devices, usdPerHour } = known.get(id)!;
        return [
          id,
          formatCount(devices),
          usdPerHour === null ? "n/a" : formatNumber(usdPerHour, 4),
          text,
          milliseconds(shown?.ttftP99Ms ?? null),
          milliseconds(shown?.tpotP50Ms ?? null),
          shown?.strain == null ? "" : formatPercent(shown.strain, 0),
          name,
        ];
      }),
    },
  ];
}

/** The best by an objective of each kind of hardware and engine that there was a choice of; `best` undefined: none was found. */
function bestOfEach(
  { found }: ObjectiveAnswer,
  candidates: readonly PlanCandidate[],
): { readonly site: string; readonly best: PlanCandidate | undefined; readonly text: string }[] {
  const known = new Map(candidates.map((candidate) => [candidate.id, candidate]));
  return [...new Set(candidates.map(({ site }) => site))].map((site) => {
    const first = found.find(({ id }) => known.get(id)!.site === site);
    return { site, best: first === undefined ? undefined : known.get(first.id), text: first?.text ?? "" };
  });
}

function siteSection({ objectives, candidates }: PlanDocument): PageSection[] {
  const [answer] = objectives;
  if (answer === undefined) return [];
  const each = bestOfEach(answer, candidates);
  if (each.length < 2) return [];
  const withoutSite = ({ name, site }: PlanCandidate): string => name.replace(` ${site}`, "");
  return [
    {
      kind: "table",
      title: "The best of each",
      note: answer.title,
      columns: [
        { header: "" },
        { header: "devices", align: "right" },
        { header: "$/h", align: "right", dispensable: 1 },
        { header: "objective", align: "right" },
        { header: "deployment" },
      ],
      rows: each.map(({ site, best, text }) =>
        best === undefined
          ? [site, "", "", "", noneOf(candidates.filter((one) => one.site === site))]
          : [
              site,
              formatCount(best.devices),
              best.usdPerHour === null ? "n/a" : formatNumber(best.usdPerHour, 4),
              text,
              withoutSite(best),
            ],
      ),
    },
    ...priceSection(answer, each),
  ];
}

/** Up to which price of a device each kind is the cheapest, where cost is looked for and devices differ in price. */
function priceSection(answer: ObjectiveAnswer, each: ReturnType<typeof bestOfEach>): PageSection[] {
  const priced = each.flatMap(({ site, best }) =>
    best === undefined || best.usdPerHour === null
      ? []
      : [{ site, devices: best.devices, usdPerHour: best.usdPerHour, ofDevice: best.usdPerHour / best.devices }],
  );
  if (answer.name !== "cost" || new Set(priced.map(({ ofDevice }) => ofDevice)).size < 2) return [];
  return [
    {
      kind: "table",
      title: "Price that decides",
      note: "of a device and hour, the other prices as they are",
      columns: [{ header: "" }, { header: "now", align: "right" }, { header: "cheapest up to", align: "right" }],
      rows: priced.map(({ site, devices, ofDevice }) => {
        const others = priced.filter((one) => one.site !== site).map(({ usdPerHour }) => usdPerHour);
        return [site, `$${formatNumber(ofDevice)}`, `$${formatNumber(Math.min(...others) / devices)}`];
      }),
    },
  ];
}

/** Why nothing of a kind was found: what most of it ended with. */
function noneOf(candidates: readonly PlanCandidate[]): string {
  const causes = candidates.map(({ status, cause }) => (status === "untested" ? "not tested" : (cause ?? status)));
  const count = (cause: string) => causes.filter((one) => one === cause).length;
  const [most = ""] = [...new Set(causes)].sort((a, b) => count(b) - count(a));
  return `none: mostly ${most}`;
}

function chanceSection({ finalists, ...plan }: PlanDocument): PageSection[] {
  const known = candidatesById(plan);
  const rows = finalists.flatMap(({ id, chances }) =>
    chances.map(({ slo, chance, slowestFactor }) => [
      slo,
      chance === null ? "n/a" : chanceText(chance),
      slowestFactor === null ? "" : `${formatNumber(slowestFactor, 3)}x as slow`,
      known.get(id)!.name,
    ]),
  );
  if (rows.length === 0) return [];
  return [
    {
      kind: "table",
      title: "Chance that each SLO holds",
      note: "from the error band of the forecast",
      columns: [
        { header: "SLO" },
        { header: "chance", align: "right" },
        { header: "breaks at", dispensable: 1 },
        { header: "deployment" },
      ],
      rows,
    },
  ];
}

function sensitivitySection(sensitivity: readonly Sensitivity[] | null): PageSection[] {
  if (sensitivity === null) return [];
  const fixed = sensitivity.filter(({ outcome }) => outcome === null).map(({ change }) => change);
  return [
    {
      kind: "table",
      title: "If the question were another",
      note: "the best deployment under it",
      columns: [
        { header: "" },
        { header: "TTFT p99", align: "right", dispensable: 1 },
        { header: "TPOT p50", align: "right", dispensable: 2 },
        { header: "$/Mtok", align: "right" },
        { header: "SLOs" },
      ],
      rows: sensitivity.flatMap(({ change, outcome }) => (outcome === null ? [] : [sensitivityRow(change, outcome)])),
      after:
        fixed.length === 0
          ? []
          : [{ text: `not changed, as the scenario leaves no room for it: ${fixed.join(", ")}`, quiet: true }],
    },
  ];
}

function sensitivityRow(change: string, outcome: NonNullable<Sensitivity["outcome"]>): string[] {
  const { meets, broken, strain, ttftP99Ms, tpotP50Ms, usdPerMtok } = outcome;
  const tightest = strain === null ? "" : `, tightest at ${formatPercent(strain, 0)}`;
  return [
    change,
    milliseconds(ttftP99Ms),
    milliseconds(tpotP50Ms),
    usdPerMtok === null ? "n/a" : formatNumber(usdPerMtok),
    meets ? `hold${tightest}` : (broken ?? "").split("\n")[0]!,
  ];
}

/** Files that were written, and what the first deployment's engine cannot be told. */
function filesSection(files: PlanFiles | null): PageSection[] {
  if (files === null) return [];
  const [first] = files.written;
  if (first === undefined) return [{ kind: "text", line: { text: `written: ${files.folder}/plan.json`, quiet: true } }];
  return [
    {
      kind: "text",
      line: {
        text: `written: ${files.folder}/plan.json and ${formatCount(files.written.length)} scenarios, the best ${first.scenario}, started by the files in ${first.folder}${first.refused.length === 0 ? "" : ", which cannot say:"}`,
      },
      items: first.refused.map(({ choice, reason }) => `${choice}: ${reason}`),
    },
  ];
}

function effortSection({ counts, effort, space, objectives }: PlanDocument): PageSection {
  const runs = `${formatCount(effort.runs)} runs`;
  // Every layout is on a frontier's plot, and none is judged.
  if (objectives.every(({ name }) => name === "frontier")) return { kind: "text", line: { text: runs, quiet: true } };
  const untested = counts.untested / space.candidates;
  return {
    kind: "text",
    line: {
      text:
        `${runs} of ${effort.samples.map(formatCount).join(", ")} requests; ` +
        `${formatCount(counts.pruned)} candidates excluded by bounds, ${formatCount(counts.infeasible)} by runs, ` +
        `${formatCount(counts.untested)} (${formatPercent(untested, 0)}) not tested to the end: none of them can be better by what is looked for`,
      quiet: true,
    },
  };
}
