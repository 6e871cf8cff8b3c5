import { lookUp } from "../core/look-up.ts";
import { deviceFiles, systemFiles } from "./catalogue.ts";
import type { Device, Node } from "./device.ts";
import type { DeviceProfile, SystemProfile } from "./profile-schema.ts";
import { parseDeviceProfile, parseSystemProfile } from "./read-profiles.ts";
import { resolveDevice, resolveNode } from "./resolve.ts";

/** Ids of the bundled device profiles, in table order. */
export const deviceIds: readonly string[] = Object.keys(deviceFiles);
/** Ids of the bundled systems (nodes), in table order. */
export const systemIds: readonly string[] = Object.keys(systemFiles);

/** The device profile `id`, with sources; throws InvalidInputError for an unknown id. */
export function deviceProfileNamed(id: string): DeviceProfile {
  return parseDeviceProfile(lookUp(deviceFiles, id, "device", systemIds), `profiles/${id}.json`);
}

/** The system profile `id`, with sources; throws InvalidInputError for an unknown id. */
export function systemProfileNamed(id: string): SystemProfile {
  return parseSystemProfile(lookUp(systemFiles, id, "system", deviceIds), `systems/${id}.json`);
}

/** Bundled devices by id, each read once: maps of one device are carried over to many. */
const devices = new Map<string, Device>();

/** The device `id`, such as `h100-sxm`; throws InvalidInputError for an unknown id. */
export function deviceNamed(id: string): Device {
  const device = devices.get(id) ?? resolveDevice(deviceProfileNamed(id));
  devices.set(id, device);
  return device;
}

/** The node `id`, such as `h100-sxm-8`: devices, host memory and disks; throws InvalidInputError for an unknown id. */
export function nodeNamed(id: string): Node {
  const system = systemProfileNamed(id);
  return resolveNode(system, deviceNamed(system.device));
}
