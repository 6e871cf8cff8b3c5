import type { PlaceColumn, TraceColumn } from "../../container/trace-tensors.ts";
import { domainsOfFiles, type ImportOptions, unlabelled } from "../importer.ts";
import { groupingRules, groupSteps, type RowGroup } from "../step-grouping.ts";
import { type RowRun, rowAfterDropping, rowsIn } from "../warm-up.ts";
import type { Group, Stream, TableReading, TableShape } from "./table-shape.ts";

/** Where the rows of a table go. */
export interface TableLayout {
  readonly rows: number;
  readonly droppedRows: number;
  readonly domains: readonly string[];
  readonly columns: readonly TraceColumn[];
  /** Columns that each cell tells of its own token, rather than its place. */
  readonly ofCells: readonly ("position" | "phase" | "step" | "token")[];
  /** How rows became sequences, for the header. */
  readonly rule: string;
  /** Whether rows of steps became sequences without knowing requests or being told how. */
  readonly isGuessed: boolean;
  /** Row of a token; null for one that was dropped. */
  rowOf(stream: Stream, token: number): number | null;
  /** Places of all rows, in order. */
  readonly places: () => Iterable<Readonly<Record<PlaceColumn, number>>>;
}

/** A stream with where it begins: among the rows of its group, and in the trace. */
interface PlacedStream {
  readonly stream: Stream;
  readonly inGroup: number;
  readonly kept: number;
}

export function layOut(
  shape: TableShape,
  reading: TableReading,
  paths: readonly string[],
  options: ImportOptions,
): TableLayout {
  const groups: { group: Group; base: number; streams: PlacedStream[] }[] = [];
  const placed = new Map<Stream, { base: number; inGroup: number; dropped: readonly RowRun[] }>();
  let rows = 0;
  for (const group of shape.groups) {
    const streams: PlacedStream[] = [];
    let inGroup = 0;
    for (const stream of [...group.streams].sort((a, b) => a.step - b.step)) {
      const to = inGroup + stream.tokens.size;
      const lost = group.dropped.reduce(
        (sum, run) => sum + Math.max(0, Math.min(to, run.to) - Math.max(inGroup, run.from)),
        0,
      );
      streams.push({ stream, inGroup, kept: stream.tokens.size - lost });
      placed.set(stream, { base: rows, inGroup, dropped: group.dropped });
      inGroup = to;
    }
    groups.push({ group, base: rows, streams });
    rows += inGroup - rowsIn(group.dropped);
  }
  const names = domainNames(shape, reading, paths, options);
  const domains = [...new Set(names)];
  const rule = ruleOf(shape, reading, options);
  const byToken = reading.unit === "request" && !shape.runsOn;
  const ofCells = [
    ...(shape.hasPositions || byToken ? (["position"] as const) : []),
    ...(shape.hasPhases ? (["phase"] as const) : []),
    ...(shape.hasSteps && reading.unit === "request" ? (["step"] as const) : []),
    ...(shape.hasTokenIds ? (["token"] as const) : []),
  ];
  const hasSteps = shape.hasSteps || (reading.unit === "pass" && rule.batches !== "sequences");
  return {
    rows,
    droppedRows: shape.groups.reduce((sum, { dropped }) => sum + rowsIn(dropped), 0),
    domains,
    columns: [
      "sequence",
      "position",
      ...(shape.hasPhases || rule.batches === "auto" ? (["phase"] as const) : []),
      ...(hasSteps ? (["step"] as const) : []),
      ...(rule.batches !== "none" && rule.batches !== "sequences" ? (["slot"] as const) : []),
      "domain",
      ...(shape.hasTokenIds ? (["token"] as const) : []),
    ],
    ofCells,
    rule: rule.text,
    isGuessed: rule.batches === "auto",
    rowOf(stream, token) {
      const place = placed.get(stream);
      if (place === undefined) return null;
      const row = rowAfterDropping(place.inGroup + stream.tokens.rank(token), place.dropped);
      return row === null ? null : place.base + row;
    },
    *places() {
      let sequences = 0;
      for (const [index, { streams }] of groups.entries()) {
        const domain = domains.indexOf(names[index] ?? "");
        const kept = streams.filter((stream) => stream.kept > 0);
        const numbers = new Map<number, number>();
        const place = groupedBy(
          rule.batches,
          kept.map((stream) => stream.kept),
        );
        let position = 0;
        for (const [step, { stream, kept: size }] of kept.entries())
          for (let slot = 0; slot < size; slot++, position++) {
            const own = place?.(step, slot) ?? { sequence: 0, position, phase: 0 };
            let sequence = numbers.get(own.sequence);
            if (sequence === undefined) {
              sequence = sequences++;
              numbers.set(own.sequence, sequence);
            }
            yield { ...own, sequence, step: reading.unit === "pass" ? step : stream.step, slot, domain };
          }
      }
    },
  };
}

type Batches = "none" | "sequences" | "auto" | "slots" | "steps";

function groupedBy(batches: Batches, sizes: readonly number[]): ((step: number, slot: number) => RowGroup) | null {
  if (batches === "none") return null;
  return groupSteps(sizes, batches === "sequences" ? "steps" : batches);
}

/** How streams become sequences, and in words. */
function ruleOf(
  { hasRequests, tokenFirst, byPosition }: TableShape,
  { unit, filesApart }: TableReading,
  { grouping }: ImportOptions,
): { readonly batches: Batches; readonly text: string } {
  if (hasRequests) {
    const within = { request: "", step: ", in order of step and token", pass: ", tokens numbered anew in each step" }[
      unit
    ];
    return { batches: "none", text: `each request is one sequence${within}` };
  }
  if (unit === "request")
    return {
      batches: "none",
      text: `rows name no request: ${filesApart ? "each file" : "the table"} is one sequence in order of tokens`,
    };
  if (unit === "pass" && (tokenFirst || byPosition) && (grouping ?? "auto") === "auto")
    return {
      batches: "sequences",
      text:
        "rows name no request: a sequence begins where " +
        (byPosition
          ? "the position begins anew"
          : "the token number begins anew, as all layers of a token stand together"),
    };
  const rule = grouping ?? "auto";
  const steps = unit === "pass" ? "a step begins where the token number of a layer begins anew; " : "";
  return { batches: rule, text: steps + groupingRules[rule] };
}

function domainNames(
  { groups, hasRequests }: TableShape,
  { filesApart }: TableReading,
  paths: readonly string[],
  options: ImportOptions,
): string[] {
  const given = options.domains === undefined ? null : domainsOfFiles(paths, options);
  const files = domainsOfFiles(paths, options);
  const isOne = hasRequests || filesApart || paths.length === 1;
  return groups.map(
    ({ domain, fileIndex }) => given?.[fileIndex] ?? domain ?? (isOne ? files[fileIndex] : undefined) ?? unlabelled,
  );
}
