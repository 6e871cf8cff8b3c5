import { InvalidInputError, type Problem, refuse } from "../../../core/errors.ts";
import type { RandomStream } from "../../../core/random.ts";
import type { RequestTable } from "../../request-table.ts";
import type { ArrivalSpec } from "./arrivals.ts";
import { type Check, checkArrivals, checkLength, requestsMax, tokens } from "./check-generate-spec.ts";
import { drawArrivals } from "./draw-arrivals.ts";
import { type LengthSpec, lengthsOf } from "./lengths.ts";
import { digestOf } from "./table-digest.ts";

/**
 * Groups of prompts that begin alike, a system prompt with a question of each request behind it: `generated-shared-prefix`
 * of SGLang's benchmark, `shared_prefix` of inference-perf.
 */
export interface SharedPrefixSpec {
  /** Null for a closed loop. */
  readonly arrivals: ArrivalSpec | null;
  readonly groups: number;
  readonly promptsPerGroup: number;
  /** Drawn once for each group. */
  readonly prefix: LengthSpec;
  readonly question: LengthSpec;
  readonly output: LengthSpec;
  /** Groups mixed at random, or one whole group after the other. */
  readonly order: "shuffled" | "grouped";
}

/** Blocks that all prompts together may have, 4 bytes each. */
const blocksMax = 0x1000_0000;

/** Tokens of a prefix block. A prefix is shared in whole blocks. */
const sharedBlockTokens = 16;

/**
 * Draws groups x prompts requests. Arrivals, prefixes, questions, outputs and the order have streams of their own. Block ids
 * cover the shared blocks of a prompt and the one behind them, which is its own: where KV blocks are larger than these, one
 * that is shared in part is not shared.
 */
export function generateSharedPrefix(spec: SharedPrefixSpec, rng: RandomStream): RequestTable {
  check(spec);
  const { groups, promptsPerGroup } = spec;
  const requests = groups * promptsPerGroup;
  const arrivalNs = drawArrivals({ arrivals: spec.arrivals, requests }, rng.fork("arrivals"));
  const count = arrivalNs.length;
  const prefix = lengthsOf(spec.prefix, rng.fork("prefix"));
  const question = lengthsOf(spec.question, rng.fork("question"));
  const output = lengthsOf(spec.output, rng.fork("output"));
  const prefixTokens = Uint32Array.from({ length: groups }, prefix);
  const firstId = new Float64Array(groups + 1);
  for (let group = 0; group < groups; group += 1)
    firstId[group + 1] = firstId[group]! + Math.floor(prefixTokens[group]! / sharedBlockTokens);
  const blocks = (firstId[groups]! + groups) * promptsPerGroup;
  if (blocks > blocksMax) refuse({ at: "groups", expected: `at most ${blocksMax} prefix blocks`, found: blocks });
  const groupOf = Uint32Array.from({ length: requests }, (_, request) => Math.floor(request / promptsPerGroup));
  if (spec.order === "shuffled") rng.fork("order").shuffle(groupOf);
  const promptTokens = new Uint32Array(count);
  const outputTokens = new Uint32Array(count);
  const offsets = new Uint32Array(count + 1);
  for (let request = 0; request < count; request += 1) {
    const group = groupOf[request]!;
    promptTokens[request] = prefixTokens[group]! + question();
    outputTokens[request] = output();
    offsets[request + 1] = offsets[request]! + (firstId[group + 1]! - firstId[group]!) + 1;
  }
  const ids = new Uint32Array(offsets[count]!);
  for (let request = 0; request < count; request += 1) {
    const first = firstId[groupOf[request]!]!;
    const shared = offsets[request + 1]! - offsets[request]! - 1;
    for (let block = 0; block < shared; block += 1) ids[offsets[request]! + block] = first + block;
    ids[offsets[request]! + shared] = firstId[groups]! + request;
  }
  return {
    count,
    arrivalNs,
    promptTokens,
    outputTokens,
    classOf: new Uint16Array(count),
    classes: ["all"],
    domainOf: null,
    domains: [],
    prefix: { blockTokens: sharedBlockTokens, offsets, ids },
    origin: {
      kind: "generated",
      name: `${groups} groups of ${promptsPerGroup} prompts with a shared prefix`,
      digest: digestOf([arrivalNs, promptTokens, outputTokens, offsets, ids]),
      notes: spec.arrivals === null ? ["sent by a closed loop"] : [],
    },
  };
}

function check(spec: SharedPrefixSpec): void {
  const problems: Problem[] = [];
  const note: Check = (at, value, expected, accepts) => {
    const right = typeof value === "number" && accepts(value);
    if (!right) problems.push({ at, expected, found: value });
    return right;
  };
  const counted = [
    note("groups", spec.groups, "a whole number, 1 or more", tokens),
    note("promptsPerGroup", spec.promptsPerGroup, "a whole number, 1 or more", tokens),
  ];
  const requests = spec.groups * spec.promptsPerGroup;
  if (!counted.includes(false)) note("groups", requests, `at most ${requestsMax} prompts`, (n) => n <= requestsMax);
  checkLength("prefix", spec.prefix, note);
  checkLength("question", spec.question, note);
  checkLength("output", spec.output, note);
  if (spec.arrivals !== null) checkArrivals(spec.arrivals, { requests }, note);
  if (problems.length > 0) throw new InvalidInputError(problems);
}
