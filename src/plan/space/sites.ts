import { refuse } from "../../core/errors.ts";
import type { EngineProfile } from "../../engine/engine-profile.ts";
import type { Node } from "../../hardware/device.ts";
import type { ModelSpec, WeightStorage } from "../../models/spec.ts";
import type { FileReader } from "../../resolve/file-reader.ts";
import { poolScenarios } from "../../resolve/pool-scenarios.ts";
import { resolvePoolShape } from "../../resolve/resolve-pool.ts";
import type { PlanSection } from "../../scenario/plan-section.ts";
import type { PlanQuestion } from "./question.ts";

/** Hardware with an engine on it. */
export interface Site {
  readonly settings: readonly string[];
  /** Such as `on h200-sxm-8` and `under sglang`, of those that there is a choice of. */
  readonly name: readonly string[];
  readonly model: ModelSpec;
  readonly storage: WeightStorage;
  readonly node: Node;
  readonly engine: EngineProfile;
  /** Of a device; null where nobody stated a price. */
  readonly usdPerDeviceHour: number | null;
}

/** A site that cannot be used, and why. */
export interface SiteLeftOut {
  readonly name: string;
  readonly reason: string;
}

/** One device of each, without what only some mappings can have. */
const bare = ["parallel={}", "pools=null", "handover=null", "policy={}"];

/**
 * Every system with every engine that a question allows. An engine that is not built for a device leaves the site out. Throws
 * InvalidInputError for a scenario of several models.
 */
export async function sitesOf(
  { scenario, plan }: PlanQuestion,
  reader: FileReader,
): Promise<{ readonly sites: readonly Site[]; readonly leftOut: readonly SiteLeftOut[] }> {
  if (scenario.modelCache !== undefined)
    refuse({
      ...scenario.place(["modelCache"]),
      at: "modelCache",
      expected: "a deployment of one model to plan",
      found: "models in turn",
    });
  const sites: Site[] = [];
  const leftOut: SiteLeftOut[] = [];
  for (const system of plan.systems ?? [null])
    for (const engine of plan.engines ?? [null]) {
      const settings = [
        ...(system === null ? [] : [`hardware={system: ${JSON.stringify(system)}}`]),
        ...(engine === null
          ? []
          : [`engine.id=${JSON.stringify(engine)}`, ...engineFile(scenario.states(["engine", "file"]))]),
      ];
      const name = [
        ...(plan.systems !== undefined && plan.systems.length > 1 ? [`on ${system}`] : []),
        ...(plan.engines !== undefined && plan.engines.length > 1 ? [`under ${engine}`] : []),
      ];
      try {
        const [pool] = poolScenarios(scenario.vary([...settings, ...bare]));
        const { config, price } = await resolvePoolShape(pool!, reader);
        const { model, node, engine: built, formats, weightBits } = config;
        const storage = { formats, weightBits };
        const usdPerDeviceHour = price?.usdPerDeviceHour ?? null;
        refuseUnknown(plan, usdPerDeviceHour, node);
        sites.push({ settings, name, model, storage, node, engine: built, usdPerDeviceHour });
      } catch (error) {
        if (name.length === 0) throw error;
        leftOut.push({ name: name.join(" "), reason: error instanceof Error ? error.message : String(error) });
      }
    }
  return { sites, leftOut };
}

/** Refuses devices of which nobody stated what a budget or an objective goes by. */
function refuseUnknown({ budget, objectives }: PlanSection, usdPerDeviceHour: number | null, { device }: Node): void {
  if (usdPerDeviceHour === null && (budget.usdPerHour !== undefined || objectives.includes("cost")))
    refuse({
      at: "cost.usdPerDeviceHour",
      expected: "a price, which the budget or the objective cost goes by",
      found: `none for ${device.name}`,
      hint: "state one, or look for devices, speed or energy",
    });
  if (device.powerW === null && (budget.powerW !== undefined || objectives.includes("energy")))
    refuse({
      at: "hardware.device.powerW",
      expected: "a board power, which the budget or the objective energy goes by",
      found: `none for ${device.name}`,
    });
}

const engineFile = (stated: boolean): string[] => (stated ? ["engine.file=null"] : []);
