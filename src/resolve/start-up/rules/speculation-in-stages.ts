import { engineName, olderThan, type StartUpRule, sglangBuilds, vllmBuilds } from "../start-up-rule.ts";

/** Up to here vLLM composes no speculative method with pipeline stages. */
const vllmFirstWithEagle = [0, 16];

const at = "engine.speculative";
const hint = "parallel.pp 1: tensor- or data-parallel ranks instead";

export const vllmSpeculationInStages: StartUpRule = {
  about: "speculative decoding in pipeline stages",
  engines: [...vllmBuilds],
  says: "vLLM refuses the model's own prediction layers with more than one stage (issues to 0.29), and any method up to 0.15; noted for others since",
  source:
    'vLLM, docs/features/speculative_decoding: "not composable with pipeline parallelism" (vllm<=0.15.0); issues 49355, 52069 and 57755; EAGLE-3 has a test since (pull request 55623)',
  check(deployment) {
    const { mapping, speculation } = deployment;
    if (speculation === null || mapping.pp === 1) return [];
    const { kind } = speculation.draft;
    const refused = kind === "mtp" || olderThan(deployment, vllmFirstWithEagle);
    const expected = `none with ${mapping.pp} pipeline stages`;
    const found = kind === "free" ? "ngram" : kind;
    const reason = refused
      ? `${engineName(deployment)} does not draft ${kind === "mtp" ? "with the model's own layers" : "tokens"} in pipeline stages`
      : `${engineName(deployment)} drafts tokens in pipeline stages with EAGLE-3 in its latest versions only`;
    return [{ severity: refused ? "refusal" : "warning", at, expected, found, reason, hint }];
  },
};

export const sglangSpeculationInStages: StartUpRule = {
  about: "speculative decoding in pipeline stages",
  engines: [...sglangBuilds],
  says: "SGLang refuses it with more than one stage, except in pools that prefill",
  source: "SGLang, python/sglang/srt/server_args.py, check_server_args: pp_size > 1 with a speculative algorithm",
  check(deployment) {
    const { mapping, speculation, role } = deployment;
    if (speculation === null || mapping.pp === 1 || role === "prefill") return [];
    const { kind } = speculation.draft;
    return [
      {
        severity: "refusal",
        at,
        expected: `none with ${mapping.pp} pipeline stages`,
        found: kind === "free" ? "ngram" : kind,
        reason: `${engineName(deployment)} drafts tokens in one stage, or in pools that prefill`,
        hint,
      },
    ];
  },
};
