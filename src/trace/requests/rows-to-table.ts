import { basename } from "node:path";
import { refuse } from "../../core/errors.ts";
import type { RandomStream } from "../../core/random.ts";
import { formatCount } from "../../core/units.ts";
import type { Assumption, RequestTable, Turns } from "../request-table.ts";
import { withAnswerBlocks } from "./answer-blocks.ts";
import { type ArrivalTimes, arrivalTimes, places } from "./arrival-times.ts";
import { conversationPrompts, type Prompts } from "./conversation.ts";
import type { FileLayout } from "./file-layout.ts";
import { oddLoad, readingNotes } from "./load-notes.ts";
import type { LoadRequestsOptions } from "./load-options.ts";
import type { TurnPrompts } from "./request-format.ts";
import type { RowCollector } from "./row-collector.ts";
import type { TimeSource } from "./time-unit.ts";
import { findTurnPrompts } from "./turn-prompts.ts";

/** What of a file is not in its rows. */
export interface ReadFile {
  readonly layout: FileLayout;
  readonly file: string;
  readonly digest: string;
  readonly options: LoadRequestsOptions;
  readonly jitter: RandomStream;
}

type Assume = (topic: Assumption["topic"], detail: string) => void;

/** The table of the rows of a file, what could not be told from single rows told from all of them. */
export function tableOf(rows: RowCollector, { layout, file, digest, options, jitter }: ReadFile): RequestTable {
  const untimed = rows.timedRows === 0;
  if (untimed && (options.arrivals === "needed" || options.fromNs !== undefined || options.untilNs !== undefined))
    refuseUntimed(rows, file);
  const notes: string[] = [];
  const assumptions: Assumption[] = [];
  const assume = (topic: Assumption["topic"], detail: string): void => void assumptions.push({ topic, detail });
  const blockTokens = blockTokensOf(rows, layout, options, file, { notes, assume });
  const prompts = promptsOf(rows, blockTokens, options, file, assume);
  const times = arrivalTimes(rows, timeSource(layout), options, jitter, file);
  if (times.unitNote !== null) assume("arrival times", times.unitNote);
  assumptions.push(...oddLoad(rows, times, options));
  const order = arrivalOrder(times);
  const [output, classOf] = [rows.output.view(), rows.classOf.view()];
  if (untimed) notes.push("no arrival times: lengths alone");
  const turns = turnsOf(rows, times, order);
  return {
    count: order.length,
    arrivalNs: Float64Array.from(order, (place) => times.atNs[place]!),
    promptTokens: Uint32Array.from(order, (place) => prompts.promptTokens[times.kept[place]!]!),
    outputTokens: Uint32Array.from(order, (place) => output[times.kept[place]!]!),
    classOf: Uint16Array.from(order, (place) => classOf[times.kept[place]!]!),
    classes: [...rows.classes.keys()],
    domainOf: options.domain === undefined ? null : new Uint16Array(order.length),
    domains: options.domain === undefined ? [] : [options.domain],
    prefix: prefixOf(prompts, times, order),
    ...(turns === null ? {} : { turns }),
    origin: {
      kind: "recorded",
      name: basename(file),
      digest,
      notes: [...readingNotes(rows, times, options), ...notes],
      ...(assumptions.length === 0 ? {} : { assumptions }),
    },
  };
}

function refuseUntimed(rows: RowCollector, file: string): never {
  return refuse(
    rows.links.followers === 0
      ? {
          file,
          expected: "requests with arrival times",
          found: "lengths alone",
          hint: "set other arrivals than recorded, such as arrivals: { kind: poisson, requestRate: 4/s }, or name the column of the times",
        }
      : {
          file,
          expected: "conversations that state when they begin",
          found: "turns without any time",
          hint: "give the first turn of each a timestamp",
        },
  );
}

const timeSource = (layout: FileLayout): Omit<TimeSource, "given"> => {
  if (layout.kind === "document") return { documented: layout.timeUnit, varies: false, column: "times" };
  const { rules, columns } = layout;
  return {
    documented: rules.timeUnit,
    varies: rules.unitVaries === true,
    column: columns.arrival?.[0]?.text ?? "arrival",
  };
};

/** Tokens in a prefix block, and what is to be known of it; null for a file without blocks. */
function blockTokensOf(
  rows: RowCollector,
  layout: FileLayout,
  { blockTokens: given }: LoadRequestsOptions,
  file: string,
  { notes, assume }: { notes: string[]; assume: Assume },
): number | null {
  if (rows.blockRows === 0) return null;
  const { blockSizes, count, blockRows } = rows;
  const { tightest } = blockSizes;
  const documented = layout.kind === "document" ? null : layout.rules.blockTokens;
  const found =
    given === undefined ? blockSizes.find(documented) : { tokens: given, rule: blockSizes.ruleOf(given), note: null };
  if (found.tokens === null) {
    const { tokens: _tokens, ...problem } = found;
    return refuse({ file, ...problem });
  }
  if (found.rule === null)
    return refuse({
      file,
      ...(tightest?.line == null ? {} : { line: tightest.line }),
      expected: `at most ${Math.ceil((tightest?.promptTokens ?? 0) / found.tokens)} prefix blocks of ${found.tokens} tokens for a prompt of ${tightest?.promptTokens}`,
      found: tightest?.blocks,
      hint: "without blockTokens the size is told from the file",
    });
  if (found.note !== null) assume("prefix blocks", found.note);
  else if (found.rule === "full") notes.push("prefix blocks that are not full are not named, and not shared");
  else if (found.rule === "some") notes.push("prompts have more prefix blocks than they name: the rest is not shared");
  if (blockRows < count)
    notes.push(`${formatCount(count - blockRows)} of ${formatCount(count)} rows name no prefix blocks`);
  return found.tokens;
}

const countsWords: Readonly<Record<TurnPrompts, string>> = {
  whole: "their prompts count the whole conversation",
  added: "their prompts count only what is new: what was said before is put in front",
};

/** Prompts as rows state them, or as conversations make them. */
function promptsOf(
  rows: RowCollector,
  blockTokens: number | null,
  options: LoadRequestsOptions,
  file: string,
  assume: Assume,
): Prompts {
  const { links } = rows;
  const stated = {
    promptTokens: rows.prompt.view(),
    blockTokens,
    blockEnds: rows.blockEnds.view(),
    blockIds: rows.blockIds.view(),
  };
  if (links.followers === 0) return stated;
  const counts = findTurnPrompts(rows, options.turnPrompts ?? null, file);
  const waiting = `${formatCount(links.followers)} of ${formatCount(rows.count)} requests wait for the answers of others and arrive after them`;
  assume("turns", `${waiting}; ${countsWords[counts]}`);
  assume("turns", "prompts and answers before a turn are found in the prefix cache, while they are kept");
  return counts === "whole" && blockTokens !== null
    ? withAnswerBlocks(rows, blockTokens)
    : conversationPrompts(rows, blockTokens, counts, file);
}

/** Places of the kept rows by arrival, equal arrivals in file order. */
function arrivalOrder({ atNs }: ArrivalTimes): Uint32Array {
  const order = Uint32Array.from(atNs, (_, place) => place);
  const sorted = atNs.every((ns, place) => place === 0 || ns >= atNs[place - 1]!);
  return sorted ? order : order.sort((a, b) => atNs[a]! - atNs[b]! || a - b);
}

function prefixOf(prompts: Prompts, { kept }: ArrivalTimes, order: Uint32Array): RequestTable["prefix"] {
  const { blockTokens, blockEnds, blockIds } = prompts;
  if (blockTokens === null) return null;
  const from = (row: number) => (row === 0 ? 0 : blockEnds[row - 1]!);
  const total = kept.reduce((sum, row) => sum + blockEnds[row]! - from(row), 0);
  if (total === 0) return null;
  const offsets = new Uint32Array(order.length + 1);
  const ids = new Uint32Array(total);
  for (const [position, place] of order.entries()) {
    const row = kept[place]!;
    const blocks = blockIds.subarray(from(row), blockEnds[row]!);
    ids.set(blocks, offsets[position]!);
    offsets[position + 1] = offsets[position]! + blocks.length;
  }
  return { blockTokens, offsets, ids };
}

/** Who waits for whom, by position in the table. */
function turnsOf(rows: RowCollector, times: ArrivalTimes, order: Uint32Array): Turns | null {
  const { links } = rows;
  if (links.followers === 0) return null;
  const placeOf = places(rows, times.kept);
  const positionOf = new Uint32Array(order.length);
  for (const [position, place] of order.entries()) positionOf[place] = position;
  const offsets = new Uint32Array(order.length + 1);
  const previous: number[] = [];
  const waitNs = new Float64Array(order.length);
  for (const [position, place] of order.entries()) {
    const row = times.kept[place]!;
    for (const earlier of links.of(row)) previous.push(positionOf[placeOf[earlier]!]!);
    offsets[position + 1] = previous.length;
    waitNs[position] = times.waitNsOf(row);
  }
  return previous.length === 0 ? null : { offsets, previous: Uint32Array.from(previous), waitNs };
}
