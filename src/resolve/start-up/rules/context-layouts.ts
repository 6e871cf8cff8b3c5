import { moeShape } from "../../../sim/mapping.ts";
import { engineName, type Finding, type StartUpRule, sglangBuilds, vllmBuilds } from "../start-up-rule.ts";

const expertCopies = (found: number, expected: string, reason: string, hint?: string): Finding => ({
  severity: "refusal",
  at: "parallel.edp",
  expected,
  found,
  reason,
  ...(hint === undefined ? {} : { hint }),
});

/** Context parallelism and copies of all experts under vLLM. */
export const vllmContextLayouts: StartUpRule = {
  about: "context parallelism, copies of all experts",
  engines: [...vllmBuilds, "vllm-ascend"],
  says: "vLLM refuses expert data parallelism: it has no option for copies of all experts. Context parallelism, which only some attention backends have, is noted",
  source:
    'vLLM, vllm/config/parallel.py: "MoE layers will be sharded according to the product of the tensor, prefill-context, and data parallel sizes"; docs/serving/context_parallel_deployment.md',
  check(deployment) {
    const { mapping, model } = deployment;
    const name = engineName(deployment);
    const findings: Finding[] = [];
    if (mapping.edp > 1 && moeShape(model) !== null)
      findings.push(
        expertCopies(
          mapping.edp,
          "1",
          `${name} divides experts over all tensor-, context- and data-parallel ranks and has no option for copies of all of them`,
          "parallel.replicas runs copies of the deployment",
        ),
      );
    if (mapping.cp > 1)
      findings.push({
        severity: "warning",
        at: "parallel.cp",
        expected: "1",
        found: mapping.cp,
        reason: `${name} has context parallelism (--prefill-context-parallel-size) with some attention backends and models only`,
      });
    return findings;
  },
};

/** Context parallelism and copies of all experts under SGLang. */
export const sglangContextLayouts: StartUpRule = {
  about: "context parallelism, copies of all experts",
  engines: [...sglangBuilds],
  says: "SGLang refuses expert data parallelism other than that of context-parallel ranks (--moe-dp-size = --attn-cp-size). Context parallelism, which it has for prompts of some models, is noted",
  source:
    'SGLang, pull request 22003: "Previously, we can only support attention_cp_size == moe_dp_size", since then moe_dp_size = 1 too; docs/advanced_features/prefill_cp',
  check(deployment) {
    const { mapping, model } = deployment;
    const name = engineName(deployment);
    const findings: Finding[] = [];
    if (mapping.edp > 1 && mapping.edp !== mapping.cp && moeShape(model) !== null)
      findings.push(
        expertCopies(
          mapping.edp,
          mapping.cp === 1 ? "1 without parallel.cp" : `1, or ${mapping.cp} as parallel.cp`,
          `${name} has copies of all experts (--moe-dp-size) for the ranks of a context-parallel group (--attn-cp-size) only`,
        ),
      );
    if (mapping.cp > 1)
      findings.push({
        severity: "warning",
        at: "parallel.cp",
        expected: "1",
        found: mapping.cp,
        reason: `${name} has context parallelism (--enable-prefill-cp, --attn-cp-size) for prompts of some models only`,
      });
    return findings;
  },
};

/** Context parallelism under TensorRT-LLM. */
export const tensorrtLlmContextLayouts: StartUpRule = {
  about: "context parallelism, copies of all experts",
  engines: ["tensorrt-llm"],
  says: "noted: TensorRT-LLM has context parallelism (Helix) for servers that decode what others prefilled; copies of all experts are not documented",
  source: "TensorRT-LLM, docs/source/features/helix.md",
  check(deployment) {
    const { mapping, model, role } = deployment;
    const name = engineName(deployment);
    const findings: Finding[] = [];
    if (mapping.cp > 1 && role !== "decode")
      findings.push({
        severity: "warning",
        at: "parallel.cp",
        expected: "1 in what computes prompts",
        found: mapping.cp,
        reason: `${name} has context parallelism as Helix, for generation servers of disaggregated serving`,
      });
    if (mapping.edp > 1 && moeShape(model) !== null)
      findings.push({
        severity: "warning",
        at: "parallel.edp",
        expected: "1",
        found: mapping.edp,
        reason: `${name} documents no option for copies of all experts`,
      });
    return findings;
  },
};
