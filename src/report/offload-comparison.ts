import { formatNumber, formatPercent } from "../core/units.ts";
import { type Axis, axes } from "../offload/compare/axes.ts";
import type { OffloadComparison, Outcome } from "../offload/compare/comparison.ts";
import { verdictText } from "../offload/compare/verdict.ts";
import type { Page, PageColumn, PageSection } from "./page.ts";

const titles: Readonly<Record<Axis, string>> = {
  policy: "Cache policies",
  slots: "Slots",
  miss: "What is done about misses",
  prefetch: "Prefetchers",
  memory: "More memory or a faster disk",
};

const columns: readonly PageColumn[] = [
  { header: "" },
  { header: "tok/s", align: "right" },
  { header: "time a request", align: "right" },
  { header: "hits", align: "right" },
  { header: "to optimum", align: "right", dispensable: 1 },
  { header: "waiting", align: "right" },
  { header: "TPOT ms", align: "right", dispensable: 2 },
  { header: "TTFT ms", align: "right", dispensable: 3 },
];

/** A comparison of offload policies as a page: what to do, why there are misses, then a table for everything that was varied. */
export function offloadComparisonPage(comparison: OffloadComparison): Page {
  const { scenario, deployment, requests, repeats, base, outcomes, leftOut, verdict, advice, best } = comparison;
  const often = repeats === 1 ? "run once" : `run ${repeats} times with other random draws`;
  return {
    title: scenario.name,
    aside: "offload compared",
    subtitle: [
      ...(scenario.description === "" ? [] : [{ text: scenario.description }]),
      { text: deployment, quiet: true },
      {
        text: `${requests} requests, ${often}. Time a request: mean end-to-end latency against the scenario as it is, with its 95 % interval.`,
        quiet: true,
      },
    ],
    headline: [advice],
    tone: best.set.length === 0 ? "good" : "warn",
    notes: [
      ...(verdict === null ? [] : [{ text: `Why: ${verdictText(verdict)}.` }]),
      ...whatIfNote(comparison).map((text) => ({ text })),
    ],
    sections: [
      ...axes.flatMap((axis) => axisSection(axis, comparison)),
      ...(outcomes.some(({ lossy }) => lossy) ? [lossyNote(comparison)] : []),
      ...(outcomes.some(({ foresees }) => foresees) ? [foreseeingNote] : []),
      ...leftOutNote(leftOut),
      { kind: "text", line: { text: `the scenario: ${base.name}, ${comparison.slots} slots`, quiet: true } },
    ],
  };
}

/** What the engine lacks: for the scenario itself, or for the fastest that was tried. */
function whatIfNote({ base, outcomes, best }: OffloadComparison): string[] {
  if (base.whatIf !== null) return [`A ${base.whatIf}.`];
  const lacking = outcomes.filter(({ whatIf, lossy, foresees }) => whatIf !== null && !lossy && !foresees);
  const [fastest] = lacking.sort((a, b) => (b.gain?.share ?? 0) - (a.gain?.share ?? 0));
  if (fastest === undefined || (fastest.gain?.share ?? 0) <= Math.max(0, best.outcome.gain?.share ?? 0)) return [];
  return [
    `A what-if would be faster: ${fastest.name}, ${gainText(fastest.gain!)}. ° ${fastest.whatIf!.slice("what-if: ".length)}.`,
  ];
}

/** What could not be run, by reason. */
function leftOutNote(leftOut: OffloadComparison["leftOut"]): PageSection[] {
  const byReason = new Map<string, string[]>();
  for (const { axis, name, reason } of leftOut) {
    const names = byReason.get(reason) ?? [];
    byReason.set(reason, [...names, `${axis} ${name}`]);
  }
  if (byReason.size === 0) return [];
  const items = [...byReason].map(([reason, names]) => `${names.join(", ")}: ${reason}`);
  return [{ kind: "text", line: { text: "not compared", quiet: true }, items }];
}

const lossyNote = ({ outcomes }: OffloadComparison): PageSection => ({
  kind: "text",
  line: { text: "* changes what the model answers, so it is taken only with --lossy", quiet: true },
  items: outcomes.flatMap(({ lossy, name, lossyMass }) =>
    lossy && lossyMass !== null ? [`${name}: ${formatPercent(lossyMass, 1)} of the router weight`] : [],
  ),
});

const foreseeingNote: PageSection = {
  kind: "text",
  line: {
    text: "^ knows what comes, or errs as often as is said: what such a predictor would bring, no advice",
    quiet: true,
  },
};

function axisSection(axis: Axis, { outcomes, base, slots, experts, heldOut }: OffloadComparison): PageSection[] {
  const rows = outcomes.filter((outcome) => outcome.axis === axis);
  if (rows.length === 0) return [];
  const listed =
    rows.some(({ isBase }) => isBase) || (axis === "prefetch" && heldOut !== null) ? rows : [base, ...rows];
  const ranked = axis === "slots" ? listed : [...listed].sort((a, b) => (b.gain?.share ?? 0) - (a.gain?.share ?? 0));
  const learned =
    heldOut === null ? "" : `; ${formatPercent(heldOut.share)} of the sequences are learned from, the others replayed`;
  const note =
    axis === "slots" ? `of ${experts}; the scenario has ${slots}` : `best first${axis === "prefetch" ? learned : ""}`;
  return [
    { kind: "table", title: titles[axis], note, columns, rows: ranked.map((outcome) => rowOf(outcome, axis, base)) },
  ];
}

function rowOf(outcome: Outcome, axis: Axis, base: Outcome): string[] {
  const { isBase, lossy, foresees, whatIf, tokensPerSecond, gain, hitRate, optimum, stallShare, tpotMs, ttftMs } =
    outcome;
  const name = isBase && outcome.axis !== axis ? "the scenario" : outcome.name;
  const lacks = whatIf !== null && base.whatIf === null;
  return [
    `${name}${lossy ? " *" : ""}${foresees ? " ^" : ""}${lacks ? " °" : ""}`,
    formatNumber(tokensPerSecond, 4),
    isBase || gain === null ? "as it is" : gainText(gain),
    formatPercent(hitRate, 1),
    optimum === null ? "" : formatPercent(Math.max(0, optimum - hitRate), 1),
    formatPercent(stallShare, 1),
    formatNumber(tpotMs, 3),
    formatNumber(ttftMs, 3),
  ];
}

function gainText({ share, halfWidth }: NonNullable<Outcome["gain"]>): string {
  const sign = share < 0 ? "+" : "-";
  const width = halfWidth !== null ? ` +-${formatPercent(halfWidth, 1)}` : "";
  return `${sign}${formatPercent(Math.abs(share), 1)}${width}`;
}
