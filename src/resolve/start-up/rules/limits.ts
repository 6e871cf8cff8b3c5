import { engineName, type StartUpRule, sglangBuilds, vllmBuilds } from "../start-up-rule.ts";

export const contextBeyondModel: StartUpRule = {
  about: "context",
  engines: [...vllmBuilds, "vllm-ascend", ...sglangBuilds],
  says: "a longer context than the model's is refused unless an environment variable allows it; noted",
  source:
    'vLLM, vllm/config/model.py: "User-specified max_model_len is greater than the derived max_model_len"; SGLang, configs/model_config.py',
  check(deployment) {
    const { scheduler, model, engine } = deployment;
    if (scheduler.contextTokensMax <= model.contextTokensMax) return [];
    const variable = engine.id.startsWith("vllm")
      ? "VLLM_ALLOW_LONG_MAX_MODEL_LEN=1"
      : "SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN=1";
    return [
      {
        severity: "warning",
        at: "engine.maxModelLen",
        expected: `at most ${model.contextTokensMax}, the context of ${model.name}`,
        found: scheduler.contextTokensMax,
        reason: `${engineName(deployment)} starts with a longer context than the model's ${model.contextTokensMax} tokens only with ${variable}, which a model with scaled positions needs`,
      },
    ];
  },
};

/** What llama.cpp allocates for its context when nobody says how long it is, or how many slots share it. */
export const llamaCppContext: StartUpRule = {
  about: "cache of the context",
  engines: ["llama.cpp"],
  says: "llama.cpp sets the cache of its whole context aside at start: the simulation refuses a deployment without room for it, with the sum of its memory. Noted where the scenario leaves the context or the slots to the engine",
  source:
    "llama.cpp, src/llama-context.cpp (n_ctx 0 is that of the model; slots have n_ctx / n_seq_max each unless the cache is unified), common/arg.cpp (--fit, on by default, lowers a context that was not given, to --fit-ctx 4096 at least), tools/server/server.cpp (without --parallel 4 slots share one cache)",
  check(deployment) {
    const { reserved, contextTokensMax, maxSequences } = deployment.scheduler;
    if (reserved === undefined) return [];
    const { contexts, tokensMin } = reserved;
    const note = (at: string, expected: string, reason: string) =>
      [{ severity: "warning", at, expected, found: "none", reason: `${engineName(deployment)} ${reason}` }] as const;
    if (tokensMin < contextTokensMax)
      return note(
        "engine.maxModelLen",
        "the context of a slot",
        `sets aside a cache for as much of the model's ${contextTokensMax} tokens as fits where no context is given (--fit), and starts with ${tokensMin} at least: all slots share it (engine.maxModelLen says what a slot has)`,
      );
    if (contexts === 1 && maxSequences > 1)
      return note(
        "engine.maxNumSeqs",
        "the slots",
        `has ${maxSequences} slots share the cache of ${contextTokensMax} tokens where their number is not given (engine.maxNumSeqs gives each its own); whom it has no room for is recomputed here, where llama.cpp fails a request`,
      );
    return [];
  },
};

export const vllmStepBudget: StartUpRule = {
  about: "tokens of a step",
  engines: [...vllmBuilds],
  says: "vLLM refuses a budget below the longest request where prompts are not chunked, and below --max-num-seqs",
  source:
    'vLLM, vllm/config/scheduler.py: "max_num_batched_tokens is smaller than max_model_len", "must be greater than or equal to max_num_seqs"',
  check(deployment) {
    const { scheduler, engine } = deployment;
    const { maxBatchTokens, maxSequences, contextTokensMax, chunkedPrefill } = scheduler;
    const say = (expected: string, reason: string, hint: string) => [
      {
        severity: "refusal",
        at: "engine.maxNumBatchedTokens",
        expected,
        found: maxBatchTokens,
        reason: `${engineName(deployment)} ${reason}`,
        hint,
      } as const,
    ];
    // Its default budget is raised to the longest request.
    if (!chunkedPrefill && maxBatchTokens < contextTokensMax && maxBatchTokens !== engine.defaults.maxBatchTokens)
      return say(
        `at least ${contextTokensMax}, the longest request`,
        "computes a prompt in one step without chunked prefill",
        `or engine.maxModelLen up to ${maxBatchTokens}`,
      );
    // Its default of sequences is lowered to the budget.
    if (maxBatchTokens < maxSequences && maxSequences !== engine.defaults.maxSequences)
      return say(
        `at least maxNumSeqs, ${maxSequences}`,
        "gives every running sequence a token of each step",
        "fewer engine.maxNumSeqs",
      );
    return [];
  },
};
