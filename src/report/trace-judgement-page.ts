import { formatBytes, formatCount, formatNumber, formatPercent } from "../core/units.ts";
import { doublingGainMin } from "../offload/replay/cache-sizes.ts";
import { hitDefinitions } from "../offload/replay/definitions/hit-definitions.ts";
import type { TraceJudgement } from "../offload/replay/judge-trace.ts";
import type { MissCauses, MissVerdict } from "../offload/replay/miss-causes.ts";
import type { Page, PageLine, PageRow, PageSection, PageTable } from "./page.ts";

/** What a trace says of expert caches, on one page. */
export function judgementPage(judgement: TraceJudgement): Page {
  const { name, rows, sequences, layers, topK, experts, batch, scope, suggested, verdict } = judgement;
  return {
    title: `Expert caches on ${name}`,
    subtitle: [
      {
        text:
          `${formatCount(rows)} tokens in ${formatCount(sequences)} sequences, ${layers} layers, ` +
          `${topK} of ${experts} experts a token; ` +
          `${batch.served === 1 ? "one sequence at a time" : `${batch.served} sequences side by side`}, ` +
          (scope === "layer" ? "a cache per layer" : "one cache for all layers"),
      },
      ...sizesBelowToken(judgement),
      ...(batch.served < batch.asked
        ? [
            {
              text: `A half of the trace has too few sequences for ${batch.asked} side by side`,
              tone: "warn" as const,
            },
          ]
        : []),
    ],
    headline: [
      suggested.slots === experts
        ? `No size below all ${experts} experts of a layer is enough`
        : `${suggested.slots} of ${experts} slots a layer`,
      `${verdict.best} hits ${formatPercent(verdict.bestHitRate)} with ${verdict.slots}`,
      `misses: ${verdictWords[verdict.from]}`,
    ],
    sections: [
      policySection(judgement),
      sizeSection(judgement),
      causeSection(judgement),
      consistencySection(judgement),
      ...predictorSections(judgement),
      definitionSection(judgement),
      conventions(judgement),
    ],
  };
}

/** Sizes that no call fits into: what they hit is what the last call left. */
function sizesBelowToken({ sizes, topK }: TraceJudgement): PageLine[] {
  const small = sizes.map(({ slots }) => slots).filter((slots) => slots < topK);
  if (small.length === 0) return [];
  return [
    {
      text: `Fewer slots than the ${topK} experts of one token (${small.join(", ")}): every call streams what does not fit`,
      tone: "warn",
    },
  ];
}

const verdictWords: Readonly<Record<MissVerdict, string>> = {
  policy: "the policy's",
  "working set": "the working set's",
  both: "of policy and working set alike",
  "hardly any": "hardly any",
};

const points = (share: number): string => (share * 100).toFixed(1);

function policySection(judgement: TraceJudgement): PageTable {
  const { sizes, policies, expert, verdict, leftOut, scope } = judgement;
  const at = sizes.findIndex(({ slots }) => slots === verdict.slots);
  const ranked = policies.filter(({ role }) => role === "policy").sort((a, b) => b.hits[at]! - a.hits[at]!);
  const row = ({ name, hits }: TraceJudgement["policies"][number], marks: boolean): PageRow => [
    name,
    ...hits.map((count, i) => {
      const most = marks && ranked.every((other) => other.hits[i]! <= count);
      return `${points(count / judgement.accesses)}${most ? "*" : " "}`;
    }),
  ];
  const cause = (name: string, of: (causes: MissCauses) => number): PageRow => [
    name,
    ...sizes.map(({ causes }) => `${points(of(causes))} `),
  ];
  return {
    kind: "table",
    title: scope === "layer" ? "Hit rate, %, by slots a layer" : "Hit rate, %, by slots for each layer, shared by all",
    note: "* the best that a run can follow",
    columns: [{ header: "slots" }, ...sizes.map(({ slots }) => ({ header: `${slots} `, align: "right" as const }))],
    rows: [
      ["of all experts, %", ...sizes.map(({ share }) => `${Math.round(share * 100)} `)],
      ...ranked.map((policy) => row(policy, true)),
      ...policies.filter(({ role }) => role === "reference").map((policy) => row(policy, false)),
      cause("missed: first uses", ({ cold }) => cold),
      cause("missed by belady too", ({ capacity }) => capacity),
      cause("missed, belady hits", ({ policy }) => policy),
      ...byteRow(judgement),
    ],
    after: [
      ...(expert === null
        ? []
        : [
            {
              text: `An expert of ${expert.model} takes ${formatBytes(expert.bytes)} in ${expert.format}`,
              quiet: true,
            },
          ]),
      ...[...new Set(leftOut.map(({ reason }) => reason))].map((reason): PageLine => {
        const names = leftOut.filter((policy) => policy.reason === reason).map(({ name }) => name);
        return { text: `Left out: ${names.join(", ")} (${reason})`, quiet: true };
      }),
    ],
  };
}

/** What the misses of the best policy move for a token, in one unit. */
function byteRow({ sizes, accesses, rows, expert }: TraceJudgement): PageRow[] {
  if (expert === null) return [];
  const perToken = sizes.map(({ bestHitRate }) => ((1 - bestHitRate) * accesses * expert.bytes) / Math.max(1, rows));
  const [unit, bytes] =
    Math.max(...perToken) >= 1024 * 1024 * 1024 ? ["GiB", 1024 * 1024 * 1024] : ["MiB", 1024 * 1024];
  return [[`${unit} a token, the best`, ...perToken.map((moved) => `${formatNumber(moved / bytes)} `)]];
}

const text = (line: string, items: readonly string[] = []): PageSection => ({
  kind: "text",
  line: { text: line, strong: true },
  items,
});

function sizeSection({ suggested, knee, ruleOfThumb, experts, topK, call }: TraceJudgement): PageSection {
  const { slots, least, hitRate } = suggested;
  const asked = `${points(doublingGainMin)} points`;
  return text("Size, on the LRU curve", [
    slots === experts
      ? `Suggested: all ${experts}. With any size below them, of at least ${least}, all would bring ${asked} or more`
      : `Suggested: ${slots} slots (${formatPercent(slots / experts, 0)}), hits ${formatPercent(hitRate)}: from there on twice as many${2 * slots > experts ? ", or all," : ""} never bring ${asked}. A call asks for ${formatNumber(call.mean)}`,
    knee === null
      ? "Knee: none, hits grow almost in step with the slots"
      : `Knee: ${knee.slots} slots, hits ${formatPercent(knee.hitRate)}; beyond it a slot brings less than the average one`,
    `Rule of moe-lrc, rho ${formatNumber(ruleOfThumb.slots / topK)}: ${ruleOfThumb.slots} slots, LRU hits ${formatPercent(ruleOfThumb.lru)}, Belady ${formatPercent(ruleOfThumb.belady)}`,
  ]);
}

function causeSection({ verdict, experts, sizes }: TraceJudgement): PageSection {
  const { slots, best, bestHitRate, causes, from } = verdict;
  const beyond =
    causes.policy < 0
      ? `less ${points(-causes.policy)} that it misses and a set loaded beforehand hits`
      : `${points(causes.policy)} it would hit`;
  const bySize = (Object.keys(verdictWords) as MissVerdict[]).flatMap((cause) => {
    const at = sizes.filter((size) => size.from === cause);
    return at.length === 0 ? [] : [`${cause} with ${at.map((size) => size.slots).join(", ")}`];
  });
  return text("Policy or working set", [
    `With ${slots} of ${experts} slots ${best} misses ${formatPercent(1 - bestHitRate)}: ${points(causes.cold)} points are first uses, ` +
      `${points(causes.capacity)} Belady's optimum misses too, ${beyond}`,
    advice[from](causes),
    `By slots: ${bySize.join("; ")}`,
  ]);
}

const advice: Readonly<Record<MissVerdict, (causes: MissCauses) => string>> = {
  policy: ({ policy }) =>
    `The policy: one that knew the future would gain ${points(policy)} points; a better policy or a predictor can gain some of them`,
  "working set": ({ capacity, policy }) =>
    `The working set: more slots can gain ${points(capacity)} points, and no policy more than ${points(Math.max(0, policy))}`,
  both: ({ capacity, policy }) =>
    `Both: more slots can gain ${points(capacity)} points, a policy that knew the future ${points(policy)}`,
  "hardly any": () => "Neither matters: what is missed are first uses, or next to nothing",
};

function consistencySection({ consistency }: TraceJudgement): PageSection {
  const { segment, model, sizes } = consistency;
  const at = sizes.find(({ rho }) => rho === 2) ?? sizes.at(-1);
  return text("Local routing consistency (moe-lrc)", [
    model === null
      ? `No sequence has ${segment} tokens: no SRP`
      : `SRP(${segment}) ${formatPercent(model.srp)} at ${model.threshold} uses of an expert in ${segment} tokens; rho-hat ${formatNumber(model.rhoHat)}`,
    ...(at === undefined
      ? []
      : [
          `Its counting, ${at.slots} slots: LRU ${formatPercent(at.lru)}, LFU ${formatPercent(at.lfu)}, SCH(${segment}) ${formatPercent(at.sch)}, Belady ${formatPercent(at.belady)}` +
            (at.schStatic === null ? "" : `, schStatic(${segment}) ${formatPercent(at.schStatic)}`),
        ]),
  ]);
}

function predictorSections({ predictability, modelLayers, topK }: TraceJudgement): PageSection[] {
  if (predictability === null) return [];
  const share = (value: number | null) => (value === null ? "-" : points(value));
  const apart = modelLayers.some((layer, i) => i > 0 && layer !== modelLayers[i - 1]! + 1);
  const [next] = predictability.scores;
  return [
    {
      kind: "table",
      title: "Does a predictor pay, %",
      note: `${topK} named, then ${2 * topK}; useful: fetches behind LRU, ${predictability.slots} slots`,
      columns: ["predictor", "recall", "precision", "recall 2k", "prec. 2k", "misses named", "useful"].map(
        (header, i) => ({ header, align: i === 0 ? ("left" as const) : ("right" as const) }),
      ),
      rows: predictability.scores.map((score) => [
        score.name,
        share(score.recall),
        share(score.precision),
        share(score.recallOfTwice),
        share(score.precisionOfTwice),
        share(score.missesNamed),
        share(score.fetchesUsed),
      ]),
      after: [
        ...(next === undefined ? [] : [{ text: payWords(next.missesNamed, next.fetchesUsed) }]),
        ...(apart
          ? [
              {
                text: "Recorded layers are not all neighbours in the model",
                quiet: true,
              },
            ]
          : []),
      ],
    },
  ];
}

/** From the shares of misses that a guess names and of its fetches that are used. */
function payWords(missesNamed: number, fetchesUsed: number): string {
  if (fetchesUsed === 0) return "The next layer's guesses name nothing that is missing";
  const moved = `move ${formatNumber(1 / fetchesUsed)} experts for each of them`;
  const named = `they name ${formatPercent(missesNamed)} of the misses and ${moved}`;
  if (missesNamed >= 0.25 && fetchesUsed >= 0.5) return `Guesses of the next layer pay: ${named}`;
  if (missesNamed >= 0.25 && fetchesUsed >= 0.25) return `Guesses of the next layer pay on an idle link only: ${named}`;
  return `Guesses of the next layer do not pay: ${named}`;
}

function definitionSection({ definitions }: TraceJudgement): PageTable {
  const { policy, slots, rates, missRatio, effectiveMissFraction } = definitions;
  return {
    kind: "table",
    title: "One trace, six hit rates",
    note: `${policy}, ${slots} slots a layer`,
    columns: [{ header: "definition" }, { header: "%", align: "right" }, { header: "what is counted" }],
    rows: rates.map(({ name, policy: own, hitRate }) => {
      const counts = hitDefinitions.find((definition) => definition.name === name)?.counts ?? "";
      return [name, points(hitRate), own === policy ? counts : `${counts}, always under ${own}`];
    }),
    after: [
      {
        text: `Miss ratio ${formatPercent(missRatio)} (of distinct experts), effective miss fraction ${formatPercent(effectiveMissFraction)} (of choices)`,
      },
    ],
  };
}

function conventions({ loadNotes, coldMisses, accesses }: TraceJudgement): PageSection {
  const lines = [
    `Two halves of sequences in turn: each begins with an empty cache and counts all accesses (${formatPercent(coldMisses / accesses)} first uses); static and predictors are fitted on the other half`,
    "The fixed set and both optima know what comes; belady has to take in what is asked for",
    ...loadNotes,
  ];
  return { kind: "text", line: { text: "How this was judged", quiet: true }, items: lines };
}
