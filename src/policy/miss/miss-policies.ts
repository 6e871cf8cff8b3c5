import { deferral } from "./deferral.ts";
import { fetch } from "./fetch.ts";
import { fiddler } from "./fiddler.ts";
import { gateScore } from "./gate-score.ts";
import { host } from "./host.ts";
import { minMax } from "./min-max.ts";
import type { MissPolicy } from "./miss-policy.ts";
import { rowSplit } from "./row-split.ts";
import { skip } from "./skip.ts";
import { substitute } from "./substitute.ts";

/** What is done about missing experts, by the name a scenario uses. */
export const missPolicies = {
  fetch,
  host,
  fiddler,
  "min-max": minMax,
  "row-split": rowSplit,
  deferral,
  "gate-score": gateScore,
  skip,
  substitute,
} as const satisfies Record<string, MissPolicy>;

export type MissPolicyName = keyof typeof missPolicies;
