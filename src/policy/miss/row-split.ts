import { type MissPolicy, missActions } from "./miss-policy.ts";

/**
 * An expert is a sum over the rows of its inner layer, so host and device can each compute some of them, exactly. The host gets
 * the part that makes both done at once: h = device / (device + host), device being fetching and computing all of it. No
 * published system does this with experts; PowerInfer (arXiv 2312.12456) splits dense layers by neuron. With experts on disks
 * all are fetched.
 */
export const rowSplit: MissPolicy = {
  name: "row-split",
  rule: "Host and device each compute a part of every missing expert, so that both are done at once.",
  needs: ["host"],
  keepsOut: true,
  parameters: {},
  create: () => ({
    decide: ({ count, hit, tokens }, times, action, hostShare) => {
      for (let i = 0; i < count; i++) {
        if (hit[i] === 1) continue;
        const hostNs = times.hostNs(tokens[i]!);
        const deviceNs = times.fetchNs + times.deviceNs(tokens[i]!);
        action[i] = missActions.split;
        hostShare[i] = deviceNs / (deviceNs + hostNs);
      }
    },
  }),
};
