import { once } from "node:events";
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import type { Worker } from "node:worker_threads";
import { InvalidInputError, type Problem } from "../../core/errors.ts";
import { startWorker } from "../../files/start-worker.ts";
import type { PlanCandidate } from "../../plan/answer/plan-document.ts";
import { type Opened, openDocument } from "./open-document.ts";

/** Beside this module, with its extension: TypeScript in a checkout, JavaScript where the program is built. */
const threadModule = new URL(`./open-thread${extname(import.meta.url)}`, import.meta.url);

/** A smaller file is read before a thread would have started. */
const asideBytes = 4 * 1024 * 1024;

/** What the thread says first: the document without its candidates, or why there is none. */
export type FirstWord =
  | { readonly kind: "opened"; readonly opened: Opened; readonly candidates: number }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

/** Asks the thread for candidates from this place on; it answers with a list of them. */
export interface MoreWanted {
  readonly from: number;
}

/**
 * Reads a saved result or a plan while keys are served: a large file is read and checked on a thread, and its candidates come over
 * piece by piece. Throws as {@link openDocument} does, and an AbortError once `signal` is aborted.
 */
export async function openAside(file: string, signal: AbortSignal, bytesMax = asideBytes): Promise<Opened> {
  const size = (await stat(file).catch(() => null))?.size ?? 0;
  if (size <= bytesMax) return openDocument(file);
  signal.throwIfAborted();
  const thread = startWorker(threadModule, { workerData: file });
  try {
    const word = await heard<FirstWord>(thread, signal);
    if (word.kind === "refused") throw new InvalidInputError(word.problems);
    const { opened } = word;
    if (opened.kind !== "plan") return opened;
    const candidates: PlanCandidate[] = [];
    while (candidates.length < word.candidates) {
      const wanted: MoreWanted = { from: candidates.length };
      thread.postMessage(wanted);
      candidates.push(...(await heard<readonly PlanCandidate[]>(thread, signal)));
    }
    return { kind: "plan", plan: { ...opened.plan, document: { ...opened.plan.document, candidates } } };
  } finally {
    await thread.terminate();
  }
}

/** The next message of a thread. Throws what ended the thread, and an AbortError. */
async function heard<T>(thread: Worker, signal: AbortSignal): Promise<T> {
  const [message] = (await once(thread, "message", { signal })) as [T];
  return message;
}
