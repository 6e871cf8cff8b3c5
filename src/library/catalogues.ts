import type { EngineProfile } from "../engine/engine-profile.ts";
import type { Device, Node } from "../hardware/device.ts";
import type { ModelSpec } from "../models/spec.ts";

/** What a catalogue holds, by id, and one of them in full. Unknown ids are refused with the nearest. */
export interface Catalogue<Entry> {
  readonly ids: readonly string[];
  get(id: string): Entry;
}

/**
 * Models that scenarios can name.
 * @stable
 */
export async function models(): Promise<Catalogue<ModelSpec>> {
  const { catalogue, modelNamed } = await import("../models/catalogue.ts");
  return { ids: Object.keys(catalogue), get: modelNamed };
}

/**
 * Devices that scenarios can name.
 * @stable
 */
export async function devices(): Promise<Catalogue<Device>> {
  const { deviceIds, deviceNamed } = await import("../hardware/named-profiles.ts");
  return { ids: deviceIds, get: deviceNamed };
}

/**
 * Systems that scenarios can name: nodes of devices, with the memories behind them.
 * @stable
 */
export async function systems(): Promise<Catalogue<Node>> {
  const { nodeNamed, systemIds } = await import("../hardware/named-profiles.ts");
  return { ids: systemIds, get: nodeNamed };
}

/**
 * Serving engines that scenarios can name, in their newest known versions.
 * @stable
 */
export async function engines(): Promise<Catalogue<EngineProfile>> {
  const { engineIds, engineNamed } = await import("../engine/catalogue.ts");
  return { ids: engineIds, get: (id) => engineNamed(id) };
}
