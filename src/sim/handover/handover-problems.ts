import type { Problem } from "../../core/errors.ts";
import type { PoolConfig } from "../config.ts";
import { handoverLinks } from "./handover-links.ts";

/** A pool of a scenario and its place there. */
export interface PlacedPool {
  readonly at: string;
  readonly config: Pick<PoolConfig, "engine" | "kvFormat" | "mapping" | "model" | "node" | "speculation">;
}

/**
 * Why the caches of a prefill pool cannot go on in a decode pool. Engines refuse what is refused here. `together`: every
 * replica of one lies in one node or scale-up domain with every replica of the other.
 */
export function handoverProblems(prefill: PlacedPool, decode: PlacedPool, together: boolean): Problem[] {
  const problems: Problem[] = [];
  for (const { at, config } of [prefill, decode])
    if (config.engine.handover === null)
      problems.push({
        at: `${at}.engine`,
        expected: "an engine that hands requests from one pool to another (handover in its profile)",
        found: config.engine.id,
      });
  const say = (key: string, expected: string, found: unknown) =>
    problems.push({ at: `${decode.at}.${key}`, expected, found });
  const from = prefill.config;
  const to = decode.config;
  if (to.model.id !== from.model.id) say("model", `${from.model.id}, as in ${prefill.at}`, to.model.id);
  if (to.kvFormat !== from.kvFormat)
    say("model.kvCacheDtype", `${from.kvFormat}, as in ${prefill.at}: caches are sent as they are`, to.kvFormat);
  if (handoverLinks(from.node, to.node, together) === null)
    say(
      "hardware",
      `a link ${together ? "inside" : "between"} nodes, to the devices of ${prefill.at}`,
      to.node.device.name,
    );
  const ranks = from.mapping.tp;
  if (ranks % to.mapping.tp !== 0 && to.mapping.tp % ranks !== 0)
    say("parallel.tp", `a divisor or a multiple of the ${ranks} ranks of ${prefill.at}`, to.mapping.tp);
  const drafts = draftsOf(from);
  if (draftsOf(to) !== drafts)
    say(
      "engine.speculative",
      `${drafts}, as in ${prefill.at}: the caches of a draft module are sent too`,
      draftsOf(to),
    );
  return problems;
}

/** The draft module whose caches a pool keeps, in words. */
function draftsOf({ speculation }: PlacedPool["config"]): string {
  const draft = speculation?.draft;
  if (draft === undefined || draft.kind === "free") return "no draft module";
  return draft.kind;
}
