import { formatCount, formatNumber, formatPercent } from "../../core/units.ts";
import type { PlanCandidate, PlanDocument } from "../../plan/answer/plan-document.ts";
import { milliseconds } from "../labels.ts";
import { planPoints, planPointsNote } from "../plan-frontier.ts";
import { planPage } from "../plan-page.ts";
import { type Choice, choicesContent } from "./choices.ts";
import { reportPage } from "./document.ts";
import { element } from "./markup.ts";
import { linesHtml, sectionsHtml } from "./page-html.ts";

/** Deployments that are listed: those that were found, then those that came nearest. */
const listedMax = 300;

const columns = [
  { header: "id", right: false },
  { header: "deployment", right: false },
  { header: "status", right: false },
  { header: "devices", right: true },
  { header: "$/h", right: true },
  { header: "TTFT p99", right: true },
  { header: "TPOT p50", right: true },
  { header: "tokens/s per device", right: true },
  { header: "nearest limit", right: true },
] as const;

/** A plan as a page of its own: the answer, every deployment that was looked at with the frontier, why others failed. */
export function planReport(plan: PlanDocument): string {
  const page = planPage(plan);
  const listed = listedOf(plan);
  const left = plan.candidates.length - listed.length;
  return reportPage({
    title: page.title,
    subtitle: [
      plan.scenario.description,
      ...page.subtitle.filter(({ quiet }) => quiet === true).map(({ text }) => text),
    ],
    verdict: element("p", { class: `verdict ${page.tone ?? "warn"}` }, `${page.headline.join("; ")}.`),
    sections: [
      {
        id: "answer",
        title: "Answer",
        content: [
          linesHtml(page.notes ?? []),
          // The plot of the terminal is drawn below.
          sectionsHtml(page.sections.filter(({ kind }) => kind !== "plot")),
        ],
      },
      {
        id: "candidates",
        title: "Deployments",
        content: [
          left === 0
            ? null
            : element(
                "p",
                {},
                `${formatCount(listed.length)} of ${formatCount(plan.candidates.length)} deployments are listed and stand in this file, the best first; plan.json has all.`,
              ),
          choicesContent({
            name: "Deployments",
            columns,
            choices: choicesOf(plan, listed),
            caption: `Deployments by what they give, ${planPointsNote(plan)}.`,
          }),
        ],
      },
    ],
    results: { ...plan, candidates: listed },
  });
}

/** Those that the answer names, then the others that were run, the nearest to meeting the SLOs first. */
function listedOf({ candidates, objectives, finalists, frontier }: PlanDocument): PlanCandidate[] {
  const named = new Set([
    ...objectives.flatMap(({ found, closest }) => [
      ...found.map(({ id }) => id),
      ...(closest === null ? [] : [closest.id]),
    ]),
    ...finalists.map(({ id }) => id),
    ...(frontier ?? []).map(({ id }) => id),
  ]);
  const rankOf = ({ id, figures, strain }: PlanCandidate): number =>
    named.has(id) ? -1 : figures === null ? Number.MAX_VALUE : (strain ?? 1e9);
  return [...candidates].sort((a, b) => rankOf(a) - rankOf(b)).slice(0, Math.max(listedMax, named.size));
}

function choicesOf(plan: PlanDocument, listed: readonly PlanCandidate[]): Choice[] {
  const points = new Map(planPoints(plan).map((point) => [point.id, point]));
  return listed.map((candidate): Choice => {
    const { id, name, site, devices, usdPerHour, status, reason, figures, strain } = candidate;
    const point = points.get(id);
    const [ttft, tpot, perDevice] = ["ttft.p99", "tpot.p50", "throughputPerDevice"].map((of) => figures?.[of] ?? null);
    const number = (value: number | null | undefined): string => (value == null ? "" : formatNumber(value, 4));
    return {
      id: `c-${id}`,
      name: `${id} ${name}`,
      perUser: point?.perUser ?? null,
      perDevice: point?.perDevice ?? null,
      series: site === "" ? "deployments" : site,
      ...(point !== undefined && point.rank > 0 ? { tone: "good" } : {}),
      cells: [
        id,
        name,
        reason === null ? status : `${status}: ${reason.split("\n")[0]}`,
        formatCount(devices),
        number(usdPerHour),
        ttft == null ? "" : milliseconds(ttft),
        tpot == null ? "" : milliseconds(tpot),
        number(perDevice),
        strain === null ? "" : formatPercent(strain, 0),
      ],
      values: [null, null, null, devices, usdPerHour, ttft ?? null, tpot ?? null, perDevice ?? null, strain],
    };
  });
}
