import type { ScenarioComparison } from "../forecast/compare/comparison.ts";
import { type InputChange, inputKinds } from "../forecast/compare/input-changes.ts";
import type { LedgerStatement } from "../forecast/compare/ledger-changes.ts";
import { resultLetter } from "./comparison-letters.ts";
import type { PageRow, PageSection } from "./page.ts";
import { shortened } from "./shortened.ts";

/** What stands where a result does not state an input, or has no such entry. */
const absent = "-";

/** What differs in the inputs, a row for each, a column for each result. */
export function comparisonInputs({ base, against }: ScenarioComparison): PageSection[] {
  const changes = new Map<string, InputChange>();
  for (const { inputs } of against) for (const change of inputs) changes.set(inputLabel(change), change);
  if (changes.size === 0)
    return [{ kind: "text", line: { text: "Inputs: the same, by value and by digest.", quiet: true } }];
  const letters = [base, ...against.map(({ result }) => result)].map(({ file }) => resultLetter(file));
  const rows = [...changes].map(([label, { before }]) => [
    label,
    before ?? absent,
    ...against.map(({ inputs }) => {
      const change = inputs.find((one) => inputLabel(one) === label);
      return (change === undefined ? before : change.after) ?? absent;
    }),
  ]);
  const isLong = rows.some((cells) => cells.reduce((sum, cell) => sum + cell.length, 0) > rowCharacters);
  const byDigest = [...changes.values()].some(({ kind, what }) => kind === "scenario" && what === "file");
  return [
    {
      kind: "table",
      title: "Inputs that differ",
      ...(isLong ? stacked(rows, letters) : sideBySide(rows, letters)),
      after: byDigest ? [{ text: byDigestWords, quiet: true }] : [],
    },
  ];
}

/** Rows with more of them have their values below one another. */
const rowCharacters = 80;

const byDigestWords = "a result does not hold what its scenario states: its text is told apart by its digest alone";

/** Longer names of inputs and topics are cut; the JSON document has all of them. */
const nameCharacters = 50;

const sideBySide = (rows: readonly (readonly string[])[], letters: readonly string[]) => ({
  columns: [{ header: "input" }, ...letters.map((header) => ({ header }))],
  rows,
});

const stacked = (rows: readonly (readonly string[])[], letters: readonly string[]) => ({
  columns: [{ header: "input" }, { header: "" }, { header: "value" }],
  rows: rows.flatMap(([label = "", ...values]) =>
    values.map((value, i) => [i === 0 ? shortened(label, nameCharacters) : "", letters[i] ?? "", value]),
  ),
});

/** An input by its kind and name: `engine.maxNumSeqs`, `seed`, `deployment: EP`. */
function inputLabel({ kind, what }: InputChange): string {
  if (kind === "stated") return what;
  return kind === "seed" || kind === "release" ? inputKinds[kind] : `${inputKinds[kind]}: ${what}`;
}

/** Entries of the ledgers that differ, each result beside the base. */
export function comparisonLedger({ base, against }: ScenarioComparison): PageSection[] {
  return against.flatMap(({ result, ledger }): PageSection[] => {
    if (ledger.length === 0) return [];
    const [first, second] = [resultLetter(base.file), resultLetter(result.file)];
    const counts = [
      [ledger.filter(({ before }) => before === null).length, "added"],
      [ledger.filter(({ after }) => after === null).length, "gone"],
      [ledger.filter(({ before, after }) => before !== null && after !== null).length, "changed"],
    ] as const;
    return [
      {
        kind: "table",
        title: `Fidelity ledger, ${second} against ${first}: ${counts.flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`])).join(", ")}`,
        quiet: true,
        columns: [{ header: "topic" }, { header: "" }, { header: "statement" }],
        rows: ledger.flatMap(({ topic, before, after }): PageRow[] => {
          const name = shortened(topic, nameCharacters);
          return [
            ...(before === null ? [] : [[name, first, statementText(before)]]),
            ...(after === null ? [] : [[before === null ? name : "", second, statementText(after)]]),
          ];
        }),
      },
    ];
  });
}

const statementText = ({ fidelity, detail }: LedgerStatement): string => `${fidelity}: ${detail}`;
