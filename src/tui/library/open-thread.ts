import { parentPort, workerData } from "node:worker_threads";
import { InvalidInputError, InvariantError } from "../../core/errors.ts";
import type { PlanCandidate } from "../../plan/answer/plan-document.ts";
import type { FirstWord, MoreWanted } from "./open-aside.ts";
import { type Opened, openDocument } from "./open-document.ts";

/** A thread that opens a document, and hands it over. */

const port = parentPort;
if (port === null) throw new InvariantError("open-thread", "this module runs as a thread");

/** Candidates of a piece: few enough that unpacking them takes milliseconds. */
const pieceCandidates = 500;

const { first, candidates } = await wordOf(workerData as string);
port.postMessage(first);
port.on("message", ({ from }: MoreWanted) => port.postMessage(candidates.slice(from, from + pieceCandidates)));

async function wordOf(file: string): Promise<{ first: FirstWord; candidates: readonly PlanCandidate[] }> {
  let opened: Opened;
  try {
    opened = await openDocument(file);
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    return { first: { kind: "refused", problems: error.problems }, candidates: [] };
  }
  if (opened.kind === "result") return { first: { kind: "opened", opened, candidates: 0 }, candidates: [] };
  const { candidates } = opened.plan.document;
  const rest: Opened = {
    kind: "plan",
    plan: { ...opened.plan, document: { ...opened.plan.document, candidates: [] } },
  };
  return { first: { kind: "opened", opened: rest, candidates: candidates.length }, candidates };
}
