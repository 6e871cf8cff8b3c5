import { formatCount, formatNumber } from "../core/units.ts";
import type { PlacementDiagnosis } from "../place/diagnosis.ts";
import type { Page, PageColumn, PageSection } from "./page.ts";

const right = (header: string): PageColumn => ({ header, align: "right" });
const ratio = (value: number | null): string => (value === null ? "" : formatNumber(value, 3));

/** Whether recorded traffic needs a map of experts, on one screen. */
export function placementDiagnosisPage(found: PlacementDiagnosis): Page {
  const { name, trace, rows, layers, experts, topK, ep, nodes, inOrder, touched } = found;
  const unit = `${trace === "tokens" ? "token" : "recorded count"}${rows === 1 ? "" : "s"}`;
  const over = nodes > 1 ? `, over ${nodes} nodes ${ratio(found.nodesInOrder)}` : "";
  const reach = nodes > 1 ? ` on ${ratio(touched?.nodes ?? null)} nodes` : "";
  return {
    title: `Expert placement on ${name}`,
    subtitle: [
      {
        text: `${formatCount(rows)} ${unit}, ${layers} layers, ${topK === null ? "" : `${topK} of `}${experts} experts${topK === null ? "" : " a token"}, ${ep} ranks. All figures are heaviest over mean rank, mean over layers; 1 is perfect.`,
      },
    ],
    headline: [found.answer],
    tone: inOrder.maxOverMean < 1.1 ? "good" : "warn",
    notes: found.because.map((text) => ({ text: `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}.` })),
    sections: [
      {
        kind: "text",
        line: {
          text: `Over all of it: in order ${ratio(inOrder.maxOverMean)} (balancedness as vLLM logs it ${ratio(inOrder.balancedness)}), worst in layer ${inOrder.worst.layer} with ${ratio(inOrder.worst.maxOverMean)}${over}; round-robin ${ratio(found.roundRobin)}.`,
        },
        items: touched === null ? [] : [`a token touches ${ratio(touched.ranks)} ranks${reach}`],
      },
      copiesSection(found),
      stepSection(found),
      ...ageSection(found),
      ...topicSection(found),
    ],
  };
}

function copiesSection({ copies, laterInOrder, laterByChance }: PlacementDiagnosis): PageSection {
  return {
    kind: "table",
    title: "What a map can win",
    note: "LPT without copies, EPLB with them",
    columns: [
      { header: "copies a layer" },
      right("no map below"),
      right("fitted on it"),
      ...(laterInOrder === null ? [] : [right("of first half on second")]),
    ],
    rows: [
      ...copies.map(({ redundant, bound, fitted, later }) => [
        redundant === 0 ? "none" : formatCount(redundant),
        ratio(bound),
        ratio(fitted),
        ...(laterInOrder === null ? [] : [ratio(later)]),
      ]),
      ...(laterInOrder === null ? [] : [["in order", "", "", ratio(laterInOrder)]]),
      ...(laterByChance === null ? [] : [["perfect map, by chance", "", "", ratio(laterByChance)]]),
    ],
  };
}

function stepSection({ steps, batch, trace }: PlacementDiagnosis): PageSection {
  return {
    kind: "table",
    title: "Steps of a batch",
    note: "by chance: tokens that choose independently",
    columns: [
      { header: "tokens" },
      ...(trace === "tokens" ? [right("in order, recorded")] : []),
      right("in order, by chance"),
      right("perfect map, by chance"),
    ],
    rows: steps.map(({ tokens, recorded, byChance, perfectMap }) => [
      `${formatCount(tokens)}${tokens === batch ? " *" : ""}`,
      ...(trace === "tokens" ? [ratio(recorded)] : []),
      ratio(byChance),
      ratio(perfectMap),
    ]),
  };
}

function ageSection({ ages, windowTokens }: PlacementDiagnosis): PageSection[] {
  if (ages.length === 0) return [];
  const size =
    windowTokens === null ? "recorded stretches" : `stretches of ${formatCount(Math.round(windowTokens))} tokens`;
  return [
    {
      kind: "table",
      title: "How long a map stays good",
      note: `${size}, inside a topic`,
      columns: [{ header: "stretches later" }, right("map"), right("in order")],
      rows: ages.map(({ windows, fitted, inOrder }) => [
        windows === 0 ? "itself" : String(windows),
        ratio(fitted),
        ratio(inOrder),
      ]),
    },
  ];
}

function topicSection({ topics }: PlacementDiagnosis): PageSection[] {
  if (topics === null) return [];
  const { names, maxOverMean, inOrder } = topics;
  return [
    {
      kind: "table",
      title: "A map of one topic on another",
      note: "rows fit, columns judge",
      columns: [{ header: "fitted on" }, ...names.map(right)],
      rows: [...names.map((name, i) => [name, ...maxOverMean[i]!.map(ratio)]), ["in order", ...inOrder.map(ratio)]],
    },
  ];
}
