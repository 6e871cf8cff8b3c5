import { InfeasibleError } from "../../core/errors.ts";
import { deviceLines, engineLines, modelLines } from "./sections.ts";
import type { Draft, Probe, Site } from "./template.ts";

/** Degrees of parallelism of a replica; what is left out is 1. */
type Degrees = { readonly [degree in "tp" | "dp" | "ep" | "etp"]?: number };

/** Devices of the largest replica that is tried. */
const devicesMax = 64;

/**
 * Layouts of so many devices that engines are usually started with: attention data-parallel with experts spread over all, or
 * tensor-parallel; the other way round where `tensorFirst`.
 */
function layoutsOf(devices: number, perNode: number, tensorFirst: boolean): Degrees[] {
  if (devices === 1) return [{}];
  const spread: Degrees = { dp: devices, ep: devices };
  const mixed: Degrees[] = [2, 4, 8]
    .filter((tp) => tp < devices && tp <= perNode)
    .map((tp) => ({ tp, dp: devices / tp, ep: devices }));
  const sliced: Degrees[] =
    devices > perNode
      ? []
      : [
          { tp: devices, ep: devices },
          { tp: devices, etp: devices },
        ];
  return tensorFirst ? [...sliced, ...mixed.reverse(), spread] : [spread, ...mixed, ...sliced];
}

/** `parallel` of a scenario. */
export const parallelText = (degrees: Readonly<Record<string, number>>): string =>
  `{ ${Object.entries(degrees)
    .map(([degree, n]) => `${degree}: ${n}`)
    .join(", ")} }`;

/** `8 devices, attention DP8 with EP8`. */
export function layoutTitle(devices: number, { tp = 1, dp = 1, ep = 1 }: Degrees): string {
  if (devices === 1) return "1 device";
  const attention = [...(tp > 1 ? [`TP${tp}`] : []), ...(dp > 1 ? [`DP${dp}`] : [])].join(" ");
  return `${devices} devices, attention ${attention}${ep > 1 ? ` with EP${ep}` : ""}`;
}

/** A layout and its draft. */
interface Fitted {
  readonly devices: number;
  readonly degrees: Degrees;
  readonly draft: Draft;
}

/** Fewest devices on which a draft runs with room for many sequences, else for one. Throws InfeasibleError with a reason. */
export async function fewestDevices(
  site: Site,
  probe: Probe,
  tensorFirst: boolean,
  draftOf: (devices: number, degrees: Degrees) => Draft,
): Promise<Fitted> {
  let reason = "";
  let tight: Fitted | null = null;
  for (let devices = 1; devices <= devicesMax; devices *= 2) {
    if (devices > site.devicesPerNode && devices % site.devicesPerNode !== 0) continue;
    for (const degrees of layoutsOf(devices, site.devicesPerNode, tensorFirst)) {
      const draft = draftOf(devices, degrees);
      if ((await probe(draft, "withRoom")) === null) return { devices, degrees, draft };
      if (tight !== null) continue;
      const problem = await probe(draft);
      if (problem === null) {
        tight = { devices, degrees, draft };
        continue;
      }
      // What a device lacks says more than what a layout does.
      if (reason === "" || problem.includes("does not fit")) reason = problem;
    }
  }
  if (tight !== null) return tight;
  throw new InfeasibleError(
    `${site.spec.name} under ${site.engine} on ${site.systemName} (${site.system}): no usual layout of up to ${devicesMax} devices runs.\n${reason}`,
  );
}

/** One replica on the fewest devices that hold the model and a sequence of `contextTokens`. */
export async function replicaDraft(site: Site, probe: Probe, contextTokens: number): Promise<Draft> {
  const { draft } = await fewestDevices(site, probe, false, (devices, degrees) => ({
    title: layoutTitle(devices, degrees),
    sections: [
      ...modelLines(site),
      ...deviceLines(site, devices),
      ...engineLines(site, contextTokens),
      ...(devices === 1 ? [] : ["", `parallel: ${parallelText(degrees)}`]),
    ],
  }));
  return draft;
}
