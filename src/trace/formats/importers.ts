import { batchLog } from "./batch-log.ts";
import { countMatrix } from "./count-matrix.ts";
import { domainCounts } from "./domain-counts.ts";
import { expertDistribution } from "./expert-distribution.ts";
import { imatrix } from "./imatrix.ts";
import type { TraceImporter } from "./importer.ts";
import { llamaCpp } from "./llama-cpp.ts";
import { logicalCounts } from "./logical-counts.ts";
import { problemLog } from "./problem-log.ts";
import { routedExperts } from "./routed-experts.ts";
import { stepLog } from "./step-log.ts";
import { stepRouting } from "./step-routing.ts";
import { table } from "./table/table.ts";
import { tensorrtLlm } from "./tensorrt-llm.ts";

/** Every routing format that can be imported; the first that recognises a file is taken when none is named. */
export const importers = {
  "tensorrt-llm": tensorrtLlm,
  "logical-count": logicalCounts,
  "step-routing": stepRouting,
  "routed-experts": routedExperts,
  "step-log": stepLog,
  "problem-log": problemLog,
  "batch-log": batchLog,
  "domain-counts": domainCounts,
  "expert-distribution": expertDistribution,
  "llama-cpp": llamaCpp,
  imatrix,
  "count-matrix": countMatrix,
  table,
} as const satisfies Record<string, TraceImporter>;

export type TraceFormat = keyof typeof importers;
