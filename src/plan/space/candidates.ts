import { sha256 } from "../../core/digest.ts";
import { refuse } from "../../core/errors.ts";
import { canonicalJson } from "../../core/json.ts";
import { formatCount } from "../../core/units.ts";
import { type Layout, layoutsOf } from "./layouts.ts";
import type { Option } from "./option-axis.ts";
import { optionsOf } from "./options.ts";
import { candidatesMax, devicesDefault, type PlanQuestion } from "./question.ts";
import type { Site } from "./sites.ts";

/** A deployment that a plan may choose. */
export interface Candidate {
  /** Of what it is, whatever else is in the space. */
  readonly id: string;
  /** Such as `2 x TP4 EP4 on h100-sxm-8`. */
  readonly name: string;
  readonly settings: readonly string[];
  readonly site: Site;
  /** What it has in common with others that differ in the number of replicas alone. */
  readonly layout: string;
  readonly devices: number;
  /** Replicas that serve whole requests; null for pools of their own. */
  readonly replicas: number | null;
  readonly usdPerHour: number | null;
  readonly powerW: number | null;
}

/** Devices that a deployment on a site may have: those of every limit of the budget. */
export function devicesWithin({ plan: { budget } }: PlanQuestion, { usdPerDeviceHour, node }: Site): number {
  const { powerW } = node.device;
  const { devices = devicesDefault, usdPerHour, powerW: powerMax } = budget;
  return Math.floor(
    Math.min(
      devices,
      usdPerHour === undefined || usdPerDeviceHour === null || usdPerDeviceHour === 0
        ? Number.POSITIVE_INFINITY
        : usdPerHour / usdPerDeviceHour,
      powerMax === undefined || powerW === null ? Number.POSITIVE_INFINITY : powerMax / powerW,
    ),
  );
}

/** Every deployment of a question on a site, those of fewer devices first. Throws InvalidInputError for too many of them. */
export function candidatesOn(question: PlanQuestion, site: Site): Candidate[] {
  const found: Candidate[] = [];
  for (const one of deployments(question, site)) {
    if (found.length === candidatesMax) refuseTooMany(question);
    found.push(one);
  }
  return found.sort((a, b) => a.devices - b.devices);
}

const refuseTooMany = ({ scenario }: PlanQuestion): never =>
  refuse({
    ...scenario.place(["plan"]),
    at: "plan",
    expected: `a space of at most ${formatCount(candidatesMax)} deployments on a system`,
    found: "more",
    hint: "a smaller budget, or plan.replicas, plan.devices and plan.parallel, narrow it",
  });

function* deployments(question: PlanQuestion, site: Site): Generator<Candidate> {
  const { plan } = question;
  const devicesMax = devicesWithin(question, site);
  const options = optionsOf(question, site);
  const layouts = layoutsOf(question, site, devicesMax);
  for (const option of options) {
    if (plan.pools !== "disaggregated")
      for (const layout of layouts)
        for (const replicas of plan.replicas ?? upTo(Math.floor(devicesMax / layout.devices)))
          if (replicas * layout.devices <= devicesMax) yield colocated(site, option, layout, replicas);
    if (plan.pools !== "colocated") yield* disaggregated(question, site, option, layouts, devicesMax);
  }
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

function colocated(site: Site, option: Option, layout: Layout, replicas: number): Candidate {
  const parallel = { ...layout.parallel, ...(replicas === 1 ? {} : { replicas }) };
  const name =
    replicas === 1 ? layout.name : `${replicas} x ${layout.name === "1 device" ? layout.name : `(${layout.name})`}`;
  return candidate(site, option, {
    name,
    layout: canonicalJson([layout.parallel, option.settings, site.settings]),
    settings: ["pools=null", "handover=null", `parallel=${JSON.stringify(parallel)}`],
    devices: replicas * layout.devices,
    replicas,
  });
}

/** Pools of their own: each division of at most `devicesMax` devices between replicas that prefill and replicas that decode. */
function* disaggregated(
  { plan }: PlanQuestion,
  site: Site,
  option: Option,
  layouts: readonly Layout[],
  devicesMax: number,
): Generator<Candidate> {
  for (const prefill of layouts)
    for (const decode of layouts)
      for (const p of plan.poolReplicas?.prefill ?? upTo(Math.floor(devicesMax / prefill.devices)))
        for (const d of plan.poolReplicas?.decode ?? upTo(Math.floor(devicesMax / decode.devices))) {
          const devices = p * prefill.devices + d * decode.devices;
          if (devices > devicesMax) continue;
          const pool = (role: string, layout: Layout, replicas: number) => ({
            name: role,
            role,
            parallel: { ...layout.parallel, ...(replicas === 1 ? {} : { replicas }) },
          });
          yield candidate(site, option, {
            name: `prefill ${p} x (${prefill.name}), decode ${d} x (${decode.name})`,
            layout: canonicalJson([prefill.parallel, decode.parallel, p, d, option.settings, site.settings]),
            settings: [
              "parallel=null",
              `pools=${JSON.stringify([pool("prefill", prefill, p), pool("decode", decode, d)])}`,
            ],
            devices,
            replicas: null,
          });
        }
}

function candidate(
  site: Site,
  option: Option,
  own: Pick<Candidate, "name" | "layout" | "settings" | "devices" | "replicas">,
): Candidate {
  const settings = [...site.settings, ...own.settings, ...option.settings];
  const { usdPerDeviceHour, node } = site;
  const { powerW } = node.device;
  return {
    ...own,
    id: sha256(canonicalJson(settings)).slice(0, 12),
    name: [own.name, ...site.name, option.name === "" ? "" : `with ${option.name}`]
      .filter((part) => part !== "")
      .join(" "),
    settings,
    site,
    usdPerHour: usdPerDeviceHour === null ? null : usdPerDeviceHour * own.devices,
    powerW: powerW === null ? null : powerW * own.devices,
  };
}
