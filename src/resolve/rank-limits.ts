import { InvalidInputError, type Problem } from "../core/errors.ts";
import { formatBytes } from "../core/units.ts";
import { expertBytes } from "../models/bytes.ts";
import type { PlacementInput } from "../policy/placement/placement.ts";
import { reachOf } from "../sim/mapping-over-nodes.ts";
import type { LedgerEntry } from "../sim/result.ts";
import type { PolicySetting } from "./policy-setting.ts";

type Limits = Pick<PlacementInput, "rankSpeed" | "rankCopiesMax" | "rankCopiesTotal">;

/** Speeds and limits of the expert ranks as the placement of a scenario states them. `layers`: those that hold experts. */
export function rankLimits(
  setting: PolicySetting,
  layers: number,
): { readonly value: Limits; readonly ledger: readonly LedgerEntry[] } {
  const { scenario, mapping, moe } = setting;
  const { rankSpeed, rankCopies, memory } = scenario.policy.placement!;
  const problems: Problem[] = [];
  const say = (key: string, expected: string, found: unknown) =>
    problems.push({ ...scenario.place(["policy", "placement", key]), at: `policy.placement.${key}`, expected, found });
  for (const [key, values] of Object.entries({ rankSpeed, rankCopies, memory }))
    if (Array.isArray(values) && values.length !== mapping.ep)
      say(key, `${mapping.ep} values, one for each expert rank`, `${values.length} values`);
  if (memory !== undefined && mapping.pp > 1)
    say("memory", "no pipeline stages: a rank of each holds other layers", `pp ${mapping.pp}`);
  if (problems.length > 0) throw new InvalidInputError(problems);

  const sliceBytes = Math.ceil(expertBytes(moe, setting) / mapping.etp);
  const bytesOf = (rank: number) => (Array.isArray(memory) ? memory[rank]! : (memory as number));
  const total =
    memory === undefined
      ? undefined
      : Uint32Array.from({ length: mapping.ep }, (_, rank) =>
          Math.min(0xffff * layers, Math.floor(bytesOf(rank) / sliceBytes)),
        );
  const ledger: LedgerEntry[] = [];
  if (total !== undefined)
    ledger.push({
      topic: "placement memory",
      fidelity: "assumed",
      detail:
        `${[...new Set(total)].join(", ")} copies of ${formatBytes(sliceBytes)} over ${layers} layers of a rank, ` +
        "spread evenly over the layers",
    });
  if (rankSpeed !== undefined)
    ledger.push({
      topic: "rank speeds",
      fidelity: "assumed",
      detail: "experts are placed by the ranks' relative speeds; the simulated ranks are all alike",
    });
  return {
    value: {
      ...(rankSpeed === undefined ? {} : { rankSpeed: Float64Array.from(rankSpeed) }),
      ...(rankCopies === undefined ? {} : { rankCopiesMax: Uint16Array.from(rankCopies) }),
      ...(total === undefined ? {} : { rankCopiesTotal: total }),
    },
    ledger,
  };
}

/**
 * [ranks][ranks] relative time to send from one expert rank to another: 0 to itself, 1 in reach of each other, and between nodes as
 * many times that as the link there is slower. null where all ranks reach one another, or one of the links is not known.
 */
export function rankDistances({ mapping, node }: PolicySetting): Float64Array | null {
  const { ep, etp } = mapping;
  const { scaleUp, scaleOut } = node.device;
  const reach = reachOf(node);
  if (ep * etp <= reach || scaleOut === null) return null;
  const rate = (link: NonNullable<typeof scaleUp>) => link.bytesPerSecond * link.efficiency;
  const between = scaleUp === null ? 1 : Math.max(1, rate(scaleUp) / rate(scaleOut));
  const islandOf = (rank: number) => Math.floor((rank * etp) / reach);
  return Float64Array.from({ length: ep * ep }, (_, at) => {
    const [from, to] = [Math.floor(at / ep), at % ep];
    return from === to ? 0 : islandOf(from) === islandOf(to) ? 1 : between;
  });
}
