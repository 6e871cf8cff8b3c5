import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { oneLine } from "../../core/printable.ts";
import { formatBytes } from "../../core/units.ts";
import { readText } from "../../files/read-input.ts";
import { readPlan } from "../../plan/answer/read-plan.ts";
import { headlineSeparator } from "../../report/page.ts";
import { planVerdict } from "../../report/plan-verdict.ts";
import type { PlanEntry } from "./library.ts";

/** A larger file is opened where somebody wants to see it, not to list it. */
const readBytesMax = 4 * 1024 * 1024;

/** Plans with what they say. What is no plan is left out. */
export async function readPlans(listed: readonly PlanEntry[], folder: string): Promise<PlanEntry[]> {
  const plans: PlanEntry[] = [];
  for (const entry of listed) {
    const file = join(folder, entry.file);
    const size = (await stat(file).catch(() => null))?.size ?? 0;
    if (size > readBytesMax) plans.push({ ...entry, text: `a plan of ${formatBytes(size)}` });
    else
      try {
        const plan = readPlan(await readText(file, readBytesMax), entry.file);
        const { name } = plan.scenario;
        const found = plan.objectives.every(({ found: of }) => of.length > 0);
        plans.push({ ...entry, text: oneLine(`${name}: ${planVerdict(plan).join(headlineSeparator)}`), found });
      } catch {
        // Another kind of document, or one of another release: opening it would say so.
      }
    // Keys are served between files.
    await setImmediate();
  }
  return plans;
}
