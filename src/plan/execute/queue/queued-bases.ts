import { sha256 } from "../../../core/digest.ts";
import { canonicalJson } from "../../../core/json.ts";
import type { JobBase } from "../../job/job.ts";
import { sharedKey } from "./queue-names.ts";
import type { RedisLink } from "./redis-link.ts";

/** A base that no sweep has needed for so long is dropped. */
const keptSeconds = 7 * 24 * 3600;

const keyOf = (queue: string, digest: string): string => sharedKey(queue, `base:${digest}`);

/** The digest under which jobs name a base. */
export const baseDigest = (base: JobBase): string => sha256(canonicalJson(base));

/** Puts a base into Redis once for all jobs over it, or keeps it there for longer. */
export async function offerBase(link: RedisLink, queue: string, base: JobBase, signal?: AbortSignal): Promise<void> {
  await link.ask(() => link.client.set(keyOf(queue, baseDigest(base)), canonicalJson(base), "EX", keptSeconds), signal);
}

/** The base of a digest; null where it is no longer there, or is not what its digest says. */
export async function queuedBase(
  link: RedisLink,
  queue: string,
  digest: string,
  signal?: AbortSignal,
): Promise<JobBase | null> {
  const text = await link.ask(() => link.client.get(keyOf(queue, digest)), signal);
  return text === null || sha256(text) !== digest ? null : (JSON.parse(text) as JobBase);
}
