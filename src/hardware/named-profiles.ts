import { refuse } from "../core/errors.ts";
import { closest } from "../core/suggest.ts";
import type { EngineProfile } from "../engine/engine-profile.ts";
import { deviceFiles, engineFiles, systemFiles } from "./catalogue.ts";
import type { Device, Node } from "./device.ts";
import {
  type DeviceProfile,
  type EngineProfileFile,
  parseDeviceProfile,
  parseEngineProfile,
  parseSystemProfile,
  type SystemProfile,
} from "./profile-schema.ts";
import { resolveDevice, resolveEngine, resolveNode } from "./resolve.ts";

/** Ids of the device profiles that come with moecast, in table order. */
export const deviceIds: readonly string[] = Object.keys(deviceFiles);
/** Ids of the systems (nodes). */
export const systemIds: readonly string[] = Object.keys(systemFiles);
/** Ids of the serving engines. */
export const engineIds: readonly string[] = Object.keys(engineFiles);

/** The device profile `id`, with sources; throws InvalidInputError for an unknown id. */
export function deviceProfileNamed(id: string): DeviceProfile {
  return parseDeviceProfile(lookUp(deviceFiles, id, "device", systemIds), `profiles/${id}.json`);
}

/** The system profile `id`, with sources; throws InvalidInputError for an unknown id. */
export function systemProfileNamed(id: string): SystemProfile {
  return parseSystemProfile(lookUp(systemFiles, id, "system", deviceIds), `systems/${id}.json`);
}

/** The engine profile `id`, with sources; throws InvalidInputError for an unknown id. */
export function engineProfileNamed(id: string): EngineProfileFile {
  return parseEngineProfile(lookUp(engineFiles, id, "engine", []), `engines/${id}.json`);
}

/** The device `id`, such as `h100-sxm`; throws InvalidInputError for an unknown id. */
export function deviceNamed(id: string): Device {
  return resolveDevice(deviceProfileNamed(id));
}

/** The node `id`, such as `h100-sxm-8`: devices, host memory and disks; throws InvalidInputError for an unknown id. */
export function nodeNamed(id: string): Node {
  const system = systemProfileNamed(id);
  return resolveNode(system, deviceNamed(system.device));
}

/** The serving engine `id`, such as `vllm`, of a version if one is given; throws InvalidInputError for an unknown id. */
export function engineNamed(id: string, version?: string): EngineProfile {
  return resolveEngine(engineProfileNamed(id), version);
}

function lookUp(table: Record<string, unknown>, id: string, what: string, others: readonly string[]): unknown {
  if (Object.hasOwn(table, id)) return table[id];
  const ids = Object.keys(table);
  const near = closest(id, ids);
  const hint = others.includes(id)
    ? `"${id}" names another kind of profile`
    : near === null
      ? undefined
      : `did you mean "${near}"?`;
  refuse({
    at: what,
    expected: `one of ${ids.join(", ")}`,
    found: id,
    ...(hint === undefined ? {} : { hint }),
  });
}
