import type { Admission } from "./admission.ts";

/** What every runtime does that loads a missing expert into the slot of another one. */
export const always: Admission = {
  name: "always",
  rule: "Every missing expert enters, as long as its call fits the slots.",
  parameters: {},
  create: () => null,
};
