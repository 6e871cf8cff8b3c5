import { type MissPolicy, missActions } from "./miss-policy.ts";

/**
 * HybriMoE (Zhong et al., DAC 2025, arXiv 2504.05897) and the comment in Fiddler's code: device and host are done at the same
 * time, as far as that goes. Missing experts with many tokens gain most from the device. So they are ordered by what the host
 * would take, and the first of them are fetched: the number with the earliest end of both. Exact for experts whose order by
 * host time is also that by device time. HybriMoE's prefetching and its order of transfers are left out.
 */
export const minMax: MissPolicy = {
  name: "min-max",
  rule: "Missing experts are divided between device and host so that both are done as early as possible.",
  needs: ["host"],
  parameters: {},
  create: () => {
    let order = new Uint32Array(64);
    return {
      decide: ({ count, hit, tokens }, times, action) => {
        if (order.length < count) order = new Uint32Array(2 * count);
        let missing = 0;
        let hostNs = 0;
        let deviceNs = 0;
        for (let i = 0; i < count; i++) {
          if (hit[i] === 1) deviceNs += times.deviceNs(tokens[i]!);
          else {
            order[missing++] = i;
            hostNs += times.hostNs(tokens[i]!);
          }
        }
        // Most tokens first; equal ones as they are met.
        order.subarray(0, missing).sort((a, b) => tokens[b]! - tokens[a]! || a - b);
        let best = Math.max(times.hostCallNs + hostNs, deviceNs);
        let fetched = 0;
        let arrivedNs = 0;
        for (let n = 0; n < missing; n++) {
          const i = order[n]!;
          hostNs -= times.hostNs(tokens[i]!);
          arrivedNs += times.fetchNs;
          deviceNs = Math.max(deviceNs, arrivedNs) + times.deviceNs(tokens[i]!);
          const end = Math.max(n === missing - 1 ? 0 : times.hostCallNs + hostNs, deviceNs);
          if (end < best) {
            best = end;
            fetched = n + 1;
          }
        }
        for (let n = 0; n < missing; n++) action[order[n]!] = n < fetched ? missActions.fetch : missActions.host;
      },
    };
  },
};
