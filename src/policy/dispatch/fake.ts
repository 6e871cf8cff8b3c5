import type { DispatchPolicy } from "./dispatch.ts";

/**
 * Every rank computes as many (token, expert) pairs as any other, wherever the experts are: what perfect balance would be worth. SGLang's
 * `fake` routes tokens at random for this; here the experts that are touched stay those of the recording, and are spread evenly too,
 * so that no rule is faster. What ranks send one another is that of round-robin.
 */
export const fakeDispatch: DispatchPolicy = {
  name: "fake",
  rule: "what perfect balance would be worth: pairs spread evenly over ranks, whatever experts these hold; no engine can serve it",
  parameters: {},
  needs: [],
  whatIf: true,
  create: () => null,
};
