/**
 * Orders in which the two half batches of a step take turns. They differ in what runs beside an exchange:
 *
 * - `dualBatch`, vLLM's dual-batch overlap (docs/design/dbo.md): attention or experts of the other half.
 * - `twoBatchPrompts`, SGLang's two-batch overlap in steps with prompts (`_compute_moe_deepseek_blog_prefill` in
 *   operations_strategy.py): the same, with shared experts run while the half waits for its own results.
 * - `twoBatchDecodes`, the same in steps that only decode (`_compute_moe_deepseek_blog_decode`): one half lags two stages
 *   behind. Dispatches run beside shared experts and the products before attention scores, combines beside the scores.
 *   Nothing runs beside experts.
 */
export type HalfBatchOrder = "dualBatch" | "twoBatchPrompts" | "twoBatchDecodes";
