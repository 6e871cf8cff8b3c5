import type { MissPolicy } from "./miss-policy.ts";

/** What every cache of experts does. */
export const fetch: MissPolicy = {
  name: "fetch",
  rule: "Every missing expert is fetched and computed by the device.",
  needs: [],
  parameters: {},
  create: () => null,
};
