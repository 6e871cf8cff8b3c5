import { formatCount } from "../core/units.ts";
import { shellQuoted } from "../engine/launch/shell-words.ts";
import type { ExplainedRequest, Explanation, Helps, Purchase } from "../forecast/explain/explanation.ts";
import { explanationTree } from "./explanation-tree.ts";
import { effectText, figureText, pathMetricLabel, percentileName, timeText } from "./explanation-words.ts";
import type { Page, PageLine, PageSection, PageTable } from "./page.ts";

/**
 * An explanation as a page: where the time of its requests went, side by side; what would help, by gain; one sentence on what to
 * try next. `rerun` is the scenario file as the next command names it, `settings` what is laid over it.
 */
export function explanationPage(explanation: Explanation, rerun: string, settings: readonly string[] = []): Page {
  const { scenario, helps, noHelps, reproduction, moecastVersion, seed } = explanation;
  return {
    title: scenario.name,
    aside: `explained by moecast ${moecastVersion}, seed ${seed}`,
    subtitle: scenario.description === "" ? [] : [{ text: scenario.description }],
    headline: headline(explanation),
    notes: [
      ...(reproduction === null ? [] : [reproductionLine(reproduction)]),
      ...(explanation.load === "stable"
        ? []
        : [{ text: `The load is ${loadWords[explanation.load]}.`, tone: "warn" as const }]),
    ],
    sections: [
      ...explanationTree(explanation),
      ...(helps === null ? noHelpsSection(noHelps) : helpSections(helps)),
      ...nextSection(helps, shellQuoted(rerun) + settings.map((text) => ` ${setting(text)}`).join("")),
    ],
  };
}

const loadWords = {
  stable: "stable",
  overloaded: "more than the deployment keeps up with: latencies are the length of the queue, and grow with the run",
  tooShort: "not told from this run: it is too short",
} as const satisfies Record<Explanation["load"], string>;

function headline({ metric, requests, counted }: Explanation): string[] {
  const label = pathMetricLabel(metric);
  const name = ({ at, request }: ExplainedRequest) =>
    at === null ? `request ${request}` : `${label} ${percentileName(at)}`;
  if (requests.length === 0) return [`no request of ${formatCount(counted)} has a ${label}`];
  return requests.map((one) => `${name(one)} ${timeText(one.valueNs)}`);
}

function reproductionLine({ same, moecastVersion, differing }: NonNullable<Explanation["reproduction"]>): PageLine {
  if (same) return { text: `The run of the result was made again: all its figures are the same.`, quiet: true };
  return {
    text:
      `The result of moecast ${moecastVersion} does not come out again: what is explained is the run of this version. ` +
      `Differing: ${differing.join("; ")}`,
    tone: "warn",
  };
}

const noHelpsSection = (reason: string | null): PageSection[] =>
  reason === null || reason === "not asked for"
    ? []
    : [{ kind: "text", line: { text: `What would help was not tried: ${reason}.`, tone: "warn" } }];

function helpSections(helps: Helps): PageSection[] {
  const { metric, unit, before, requests, of, ideals, others } = helps;
  const length =
    requests === of
      ? `all ${formatCount(of)} requests`
      : `the first ${formatCount(requests)} of ${formatCount(of)} requests`;
  const table: PageTable = {
    kind: "table",
    title: "What would help",
    note: `${metric} ${figureText(before, unit)} over ${length}, each with one thing changed`,
    columns: [
      { header: "if" },
      { header: metric, align: "right" },
      { header: "change", align: "right" },
      { header: "nearest that can be had" },
      { header: "with that", align: "right" },
    ],
    rows: ideals.map(({ label, effect, purchase, noPurchase }) => ({
      cells: [
        label,
        figureText(effect.after, unit),
        effectText(effect),
        purchase?.text ?? noPurchase ?? "",
        purchase === null ? "" : effectText(purchase.effect),
      ],
      ...(effect.clear && effect.gain > 0 ? { tone: "good" as const } : {}),
    })),
    after: others.length === 0 ? [] : [{ text: leftOut(others), quiet: true }],
  };
  const bought = [
    ...new Map(
      ideals.flatMap(({ purchase }) => (purchase === null ? [] : [[purchase.text, purchase] as const])),
    ).values(),
  ].sort((a, b) => b.effect.gain - a.effect.gain);
  if (bought.length === 0) return [table];
  return [table, purchaseTable(bought, helps)];
}

const purchaseTable = (bought: readonly Purchase[], { metric, unit }: Helps): PageTable => ({
  kind: "table",
  title: "What can be had",
  note: "tried by runs over the same requests",
  columns: [
    { header: "change" },
    { header: metric, align: "right" },
    { header: "", align: "right" },
    { header: "settings" },
  ],
  rows: bought.map((one) => ({
    cells: [one.text, figureText(one.effect.after, unit), effectText(one.effect), settingsOf(one)],
  })),
});

/** As a shell takes them. */
const settingsOf = ({ set }: Purchase): string => set.map(setting).join(" ");
const setting = (text: string): string => `--set ${shellQuoted(text)}`;

const leftOut = (others: Helps["others"]): string =>
  `Not applicable: ${others.map(({ label, reason }) => `${label} (${reason})`).join("; ")}.`;

/** One sentence: the command to try next. */
function nextSection(helps: Helps | null, rerun: string): PageSection[] {
  if (helps === null) return [];
  const { first, metric, unit, before, requests, of, ideals } = helps;
  const over = requests === of ? "" : ` over the first ${formatCount(requests)} requests`;
  if (first !== null) {
    const { effect } = first;
    const figures = `${metric} ${figureText(before, unit)} -> ${figureText(effect.after, unit)}${over}`;
    return sentence(`Next: moecast run ${rerun} ${settingsOf(first)}  (${figures}, ${effectText(effect)})`);
  }
  const best = ideals.find(({ effect }) => effect.clear && effect.gain > 0);
  return sentence(
    best === undefined
      ? `Nothing that was made free improves ${metric} beyond the noise.`
      : `No change that can be had improved ${metric}; the most to be gained lies where ${best.label}.`,
  );
}

const sentence = (text: string): PageSection[] => [{ kind: "text", line: { text, strong: true } }];
