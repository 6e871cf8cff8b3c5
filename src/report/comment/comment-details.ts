import type { Comparison, MetricChange, ResultComparison } from "../../forecast/compare/comparison.ts";
import type { InputChange } from "../../forecast/compare/input-changes.ts";
import { inputKinds } from "../../forecast/compare/input-changes.ts";
import type { LedgerStatement } from "../../forecast/compare/ledger-changes.ts";
import { changeCell, intervalCell, valueCell } from "./change-cells.ts";
import { inertTable, inertText, shortName } from "./inert-text.ts";

/** Rows of a table of details; what is beyond them is counted. */
const rowsMax = 150;
/** Characters of what a ledger says. */
const ledgerTextMax = 600;

/** Folded parts of a comment, those that a reviewer wants first: inputs of all scenarios, then ledgers, then all metrics. */
export function detailParts({ scenarios }: Comparison, named: boolean): string[] {
  const results = scenarios.flatMap(({ scenario, against }) =>
    against.map((result) => ({ result, of: named ? `${shortName(scenario)}: ` : "" })),
  );
  return [inputsPart, ledgerPart, metricsPart].flatMap((part) => results.flatMap(({ result, of }) => part(result, of)));
}

/** Lines folded away under a title; an empty line above and below makes them Markdown. */
const folded = (title: string, lines: readonly string[]): string[] => [
  [`<details><summary>${inertText(title)}</summary>`, "", ...lines, "</details>", "", ""].join("\n"),
];

const orNone = (text: string | null): string => text ?? "none";

function inputsPart({ inputs }: ResultComparison, of: string): string[] {
  if (inputs.length === 0) return [];
  const cells = ({ kind, what, before, after }: InputChange) => [
    kind === "setting" ? `--set ${what}` : what === inputKinds[kind] ? what : `${inputKinds[kind]}: ${what}`,
    orNone(before),
    orNone(after),
  ];
  return folded(
    `${of}inputs that differ (${inputs.length})`,
    inertTable(["input", "before", "now"], inputs.map(cells), { rowsMax }),
  );
}

function ledgerPart({ ledger }: ResultComparison, of: string): string[] {
  if (ledger.length === 0) return [];
  const stated = (statement: LedgerStatement | null) =>
    statement === null ? "-" : `${statement.fidelity}: ${statement.detail}`;
  const rows = ledger.map(({ topic, before, after }) => [
    before === null ? "added" : after === null ? "gone" : "changed",
    topic,
    stated(before),
    stated(after),
  ]);
  return folded(
    `${of}changes of the fidelity ledger, which says what the figures rest on (${ledger.length})`,
    inertTable(["", "topic", "before", "now"], rows, { rowsMax, cellMax: ledgerTextMax }),
  );
}

function metricsPart({ metrics }: ResultComparison, of: string): string[] {
  const cells = (change: MetricChange) => [
    change.regressed ? "regression" : change.verdict,
    change.metric,
    valueCell(change, change.before),
    valueCell(change, change.after),
    changeCell(change),
    intervalCell(change),
    change.limit === null ? "" : `${Number((change.limit * 100).toPrecision(6))}%`,
  ];
  return folded(
    `${of}all ${metrics.length} metrics`,
    inertTable(["", "metric", "before", "now", "change", "interval", "limit"], metrics.map(cells), { rowsMax }),
  );
}
