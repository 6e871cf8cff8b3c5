import type { PoolConfig } from "../../sim/config.ts";
import type { PlanQuestion } from "../space/question.ts";

/** What a candidate cannot meet whatever its kernels reach: one file each. */
export interface Bound {
  readonly name: string;
  /** Why a deployment of these pools cannot meet the SLOs or the load; null where it may. */
  excludes(question: PlanQuestion, pools: readonly PoolConfig[]): string | null;
}
