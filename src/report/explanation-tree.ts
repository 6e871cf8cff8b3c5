import { formatCount, formatDuration, formatPercent } from "../core/units.ts";
import type { ExplainedRequest, Explanation } from "../forecast/explain/explanation.ts";
import { stepParts } from "../sim/outcome/step-parts.ts";
import { partLabel, pathMetricLabel, percentileName, phaseLabels, timeText } from "./explanation-words.ts";
import type { PageSection, PageTable } from "./page.ts";

/** What takes less than this share of every request is folded into one row. */
const shareMin = 0.01;

/** A row of the tree: its depth, and its time in each request, ns. */
interface Branch {
  readonly label: string;
  readonly depth: number;
  readonly ns: readonly number[];
  readonly under: readonly Branch[];
}

/** Where the time of the requests went, as a tree with a column for each. */
export function explanationTree({ requests, metric }: Explanation): PageSection[] {
  if (requests.length === 0) return [];
  const spans = requests.map(({ spanNs }) => spanNs);
  const perToken = metric === "tpot";
  const table: PageTable = {
    kind: "table",
    title: "Where the time goes",
    note: perToken
      ? "per output token behind the first, along the critical path"
      : `along the critical path, to the ${metric === "ttft" ? "first" : "last"} token`,
    columns: [
      { header: "" },
      ...requests.flatMap(({ at, request }) => [
        { header: at === null ? `request ${request}` : percentileName(at), align: "right" as const },
        { header: "", align: "right" as const },
      ]),
    ],
    rows: [
      {
        cells: rowOf({ label: pathMetricLabel(metric), depth: 0, ns: spans, under: [] }, requests, perToken),
        tone: "good",
      },
      ...folded(phasesOf(requests), spans, 1).flatMap((branch) => rowsOf(branch, requests, perToken)),
    ],
    after: requests.map((one) => ({ text: requestLine(one, metric), quiet: true })),
  };
  return [table];
}

function phasesOf(requests: readonly ExplainedRequest[]): Branch[] {
  const kinds = (Object.keys(phaseLabels) as (keyof typeof phaseLabels)[]).filter((kind) =>
    requests.some(({ phases }) => phases.some((phase) => phase.kind === kind)),
  );
  return kinds.map((kind) => {
    const own = requests.map(({ phases }) => phases.find((phase) => phase.kind === kind));
    const partNs = (name: (typeof stepParts)[number]) =>
      own.map((phase) => phase?.parts.find(({ part }) => part === name)?.ns ?? 0);
    const [dispatch, combine] = [partNs("dispatch"), partNs("combine")];
    const parts: Branch[] = stepParts
      .filter((part) => part !== "combine")
      .map((part) =>
        part === "dispatch"
          ? { label: partLabel("exchange"), depth: 2, ns: dispatch.map((ns, i) => ns + combine[i]!), under: [] }
          : { label: partLabel(part), depth: 2, ns: partNs(part), under: part === "expertFetch" ? fetchOf(own) : [] },
      );
    return { label: phaseLabels[kind], depth: 1, ns: own.map((phase) => phase?.ns ?? 0), under: parts };
  });
}

type Phases = readonly (ExplainedRequest["phases"][number] | undefined)[];

/** What missing experts were waited for. */
function fetchOf(phases: Phases): Branch[] {
  const under = phases.map((phase) => phase?.parts.find(({ part }) => part === "expertFetch")?.under ?? []);
  return [...new Set(under.flat().map(({ name }) => name))].map((label) => ({
    label,
    depth: 3,
    ns: under.map((found) => found.find(({ name }) => name === label)?.ns ?? 0),
    under: [],
  }));
}

/** Branches by their largest share, those that are small everywhere as one. */
function folded(branches: readonly Branch[], spans: readonly number[], depth: number): Branch[] {
  const share = ({ ns }: Branch) => Math.max(...ns.map((part, i) => (spans[i]! > 0 ? part / spans[i]! : 0)));
  const there = branches.filter(({ ns }) => ns.some((part) => part > 0));
  const small = there.filter((branch) => share(branch) < shareMin);
  const large = there
    .filter((branch) => share(branch) >= shareMin)
    // Phases keep the order in which they come about.
    .sort((a, b) => (depth === 1 ? 0 : share(b) - share(a)))
    .map((branch) => ({ ...branch, under: folded(branch.under, spans, depth + 1) }));
  if (small.length === 0) return large;
  const sum = spans.map((_, i) => small.reduce((total, { ns }) => total + ns[i]!, 0));
  const label = small.length === 1 ? small[0]!.label : `${small.length} others`;
  return [...large, { label, depth, ns: sum, under: [] }];
}

const rowsOf = (branch: Branch, requests: readonly ExplainedRequest[], perToken: boolean): (readonly string[])[] => [
  rowOf(branch, requests, perToken),
  ...branch.under.flatMap((one) => rowsOf(one, requests, perToken)),
];

function rowOf({ label, depth, ns }: Branch, requests: readonly ExplainedRequest[], perToken: boolean): string[] {
  return [
    `${depth > 1 ? "· ".repeat(depth - 1) : ""}${label}`,
    ...requests.flatMap(({ spanNs, outputTokens }, i) => [
      timeText(perToken ? ns[i]! / (outputTokens - 1) : ns[i]!),
      ns[i] === 0 || spanNs === 0 ? "" : formatPercent(ns[i]! / spanNs),
    ]),
  ];
}

/** Which request it is. */
function requestLine(
  { at, request, arrivalNs, promptTokens, cachedTokens, outputTokens, phases }: ExplainedRequest,
  metric: Explanation["metric"],
): string {
  const steps = phases.reduce((sum, { steps: own, parts }) => sum + (parts.length > 0 ? own : 0), 0);
  const cached = cachedTokens > 0 ? `, ${formatCount(cachedTokens)} of them cached` : "";
  return (
    `${at === null ? "" : `${percentileName(at)} of ${pathMetricLabel(metric)}: `}request ${request}, arrived at ${formatDuration(arrivalNs)}, ` +
    `${formatCount(promptTokens)} prompt tokens${cached}, ${formatCount(outputTokens)} output tokens, ${formatCount(steps)} ${steps === 1 ? "step" : "steps"} of its own`
  );
}
