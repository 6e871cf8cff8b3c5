import { busiestShare } from "../bottleneck.ts";
import type { AdviceRule } from "./advice-rule.ts";

/** Smallest step that is proposed, and by how much chunks shrink and grow. */
const chunkTokensMin = 256;
const shrink = 4;
const grow = 2;
/** Largest step that is proposed: beyond, activations take the memory of the KV cache. */
const chunkTokensMax = 32_768;

/** The other ranks wait for a rank's chunk of a prompt: a smaller chunk holds them up for less. */
export const smallerChunks: AdviceRule = {
  causes: ["promptWait"],
  change: ({ config: { scheduler } }) => {
    const { maxBatchTokens, maxSequences, chunkedPrefill } = scheduler;
    // Every running sequence needs its token.
    const tokens = Math.max(
      chunkTokensMin,
      Math.min(maxSequences, maxBatchTokens),
      Math.floor(maxBatchTokens / shrink),
    );
    if (!chunkedPrefill || tokens >= maxBatchTokens) return null;
    return { text: "prompts in smaller chunks", set: [`engine.maxNumBatchedTokens=${tokens}`] };
  },
};

/** Whole prompts hold up everybody for as long as they last. */
export const chunkedPrompts: AdviceRule = {
  causes: ["promptWait", "queue"],
  change: ({ config: { scheduler } }) =>
    scheduler.chunkedPrefill ? null : { text: "prompts in chunks", set: ["engine.enableChunkedPrefill=true"] },
};

/** Larger steps spread what a step costs whatever its size over more tokens. */
export const largerChunks: AdviceRule = {
  causes: ["kernelOverhead", "hostOverhead", "queue"],
  change: ({ config: { scheduler, workload } }) => {
    const { maxBatchTokens } = scheduler;
    const longest = workload.requests.promptTokens.reduce((most, tokens) => Math.max(most, tokens), 0);
    // A step that holds every prompt whole gains nothing for a single one of them.
    if (maxBatchTokens * grow > chunkTokensMax || longest <= maxBatchTokens) return null;
    return { text: "prompts in larger chunks", set: [`engine.maxNumBatchedTokens=${maxBatchTokens * grow}`] };
  },
};

/** Requests wait although there may be memory for them. */
export const moreSequences: AdviceRule = {
  causes: ["queue"],
  change: ({ config, forecast }) => {
    const { scheduler, mapping, replicas } = config;
    const limit = scheduler.maxSequences * mapping.dp * replicas;
    const most = forecast.series.running.reduce((high, running) => Math.max(high, running), 0);
    if (most < 0.9 * limit) return null;
    return { text: "more sequences at a time", set: [`engine.maxNumSeqs=${scheduler.maxSequences * grow}`] };
  },
};

/** A router that knows the load of its targets keeps them alike. */
export const loadAwareRouter: AdviceRule = {
  causes: ["attentionWait", "promptWait", "queue"],
  change: ({ config: { router, mapping, replicas } }) =>
    router.name === "least-loaded" || mapping.dp * replicas === 1
      ? null
      : { text: "requests to the least loaded rank", set: ["policy.router=least-loaded"] },
};

/** Prompts that begin alike are computed once. */
export const prefixCaching: AdviceRule = {
  causes: ["queue", "promptWait"],
  change: ({ config: { scheduler, workload } }) =>
    scheduler.prefixCaching || workload.requests.prefix === null
      ? null
      : { text: "KV blocks of equal prefixes shared", set: ["engine.enablePrefixCaching=true"] },
};

/** A front end tokenises one prompt after the other: most of a burst waits for its turn there, though it idles afterwards. */
export const moreFrontEnds: AdviceRule = {
  causes: ["frontEnd", "queue"],
  change: ({ config: { frontEnds }, forecast: { resources } }) => {
    const busiest = busiestShare(resources.filter(({ name }) => name.startsWith("front end")));
    if (busiest < busiestShare(resources) / 2) return null;
    return { text: "more front ends per replica", set: [`engine.apiServerCount=${frontEnds * grow}`] };
  },
};

/** Drafts that are not accepted cost a pass of the draft module each. */
export const fewerDrafts: AdviceRule = {
  causes: ["draft"],
  change: ({ config: { speculation } }) => {
    if (speculation === null || speculation.draftTokens === 1) return null;
    const tokens = Math.floor(speculation.draftTokens / 2);
    return { text: "fewer draft tokens", set: [`engine.speculative.draftTokens=${tokens}`] };
  },
};
