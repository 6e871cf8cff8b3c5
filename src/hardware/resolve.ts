import { InvalidInputError, refuse } from "../core/errors.ts";
import { own } from "../core/own.ts";
import { plain } from "../core/sourced.ts";
import { deviceFiles, efficiencyPresets, kernelMaps, links, tiers } from "./catalogue.ts";
import type { Device, Efficiency, HostProcessors, Link, MemoryTier, Node, ServedKernels } from "./device.ts";
import { type KernelMap, type KernelMaps, linkFamilies } from "./kernel-maps.ts";
import {
  type DeviceProfile,
  type EfficiencyProfile,
  efficiencySchema,
  type LinkProfile,
  type SystemProfile,
  type TierProfile,
} from "./profile-schema.ts";
import { parseDeviceProfile } from "./read-profiles.ts";
import { tierKindNames, tierKinds } from "./tier-kinds.ts";

/** The link that a reference names in the table, or is itself; throws InvalidInputError. */
function linkProfile(reference: string | LinkProfile, at: string): LinkProfile {
  if (typeof reference !== "string") return reference;
  return (
    links().find((link) => link.id === reference) ?? refuse({ at, expected: "a link of the table", found: reference })
  );
}

/** The tier that a reference names in the table, or is itself; throws InvalidInputError. */
export function tierProfile(reference: string | TierProfile, at: string): TierProfile {
  if (typeof reference !== "string") return reference;
  return (
    tiers().find((tier) => tier.id === reference) ?? refuse({ at, expected: "a tier of the table", found: reference })
  );
}

/** Efficiency numbers of a device, its preset filled in; throws InvalidInputError where numbers are missing. */
function efficiencyProfile(profile: DeviceProfile): EfficiencyProfile {
  const presets = efficiencyPresets();
  const preset = profile.efficiencyPreset === undefined ? undefined : own(presets, profile.efficiencyPreset);
  const at = `${profile.id}.efficiencyPreset`;
  if (profile.efficiencyPreset !== undefined && preset === undefined)
    refuse({ at, expected: `one of ${Object.keys(presets).join(", ")}`, found: profile.efficiencyPreset });
  const merged = { ...preset, ...profile.efficiency };
  const missing = Object.entries(efficiencySchema.shape).flatMap(([key, schema]) =>
    key in merged || schema.safeParse(undefined).success ? [] : [key],
  );
  if (missing.length > 0)
    throw new InvalidInputError(
      missing.map((key) => ({ at: `${profile.id}.efficiency.${key}`, expected: "a number, or an efficiencyPreset" })),
    );
  return merged as EfficiencyProfile;
}

/** A device profile with every number it stands on: links and efficiency preset in place of their names. */
export function withReferences(profile: DeviceProfile) {
  const link = (reference: string | LinkProfile | null, at: string) =>
    reference === null ? null : linkProfile(reference, `${profile.id}.${at}`);
  return {
    ...profile,
    scaleUp: link(profile.scaleUp, "scaleUp"),
    scaleOut: link(profile.scaleOut, "scaleOut"),
    hostLink: link(profile.hostLink, "hostLink"),
    efficiency: efficiencyProfile(profile),
  };
}

/**
 * Kernel maps in force on a device: its own, or for each family and engine those of the first named device that has
 * them. Times between devices carry over only where both meet alike, by links of their own or through the host. Throws
 * InvalidInputError.
 */
function kernelMapsOf({ kernels, id, scaleUp }: DeviceProfile): KernelMaps | undefined {
  if (kernels === undefined || isKernelMaps(kernels)) return kernels;
  const maps: KernelMap[] = [];
  for (const owner of typeof kernels === "string" ? [kernels] : kernels) {
    const found =
      kernelMaps(owner) ?? refuse({ at: `${id}.kernels`, expected: "a device with kernel maps", found: owner });
    const meetAlike = (own(deviceFiles, owner)?.scaleUp === null) === (scaleUp === null);
    const taken = new Set(maps.map(nameOf));
    for (const map of found.maps) {
      if (taken.has(nameOf(map)) || (linkFamilies.has(map.family) && !meetAlike)) continue;
      maps.push(owner === id ? map : { ...map, from: owner });
    }
  }
  return { device: id, maps };
}

const nameOf = ({ family, engine = "" }: KernelMap): string => `${family} ${engine}`;

function isKernelMaps(kernels: NonNullable<DeviceProfile["kernels"]>): kernels is KernelMaps {
  return typeof kernels === "object" && "maps" in kernels;
}

/** The device of a profile, references followed, preset filled in, sources dropped; throws InvalidInputError. */
export function resolveDevice(profile: DeviceProfile): Device {
  const efficiency: Efficiency = plain(efficiencyProfile(profile));
  const kernels = kernelMapsOf(profile);
  return {
    id: profile.id,
    name: profile.name,
    kind: profile.kind,
    ...(profile.platform === undefined ? {} : { platform: profile.platform }),
    peak: plain(profile.peak),
    ...(profile.clockHz === undefined ? {} : { clockHz: profile.clockHz.value }),
    ...(profile.vectorFlopsPerSecond === undefined ? {} : { vectorFlopsPerSecond: profile.vectorFlopsPerSecond.value }),
    ...(profile.cores === undefined ? {} : { cores: profile.cores.value }),
    ...(profile.coreBytesPerSecond === undefined ? {} : { coreBytesPerSecond: profile.coreBytesPerSecond.value }),
    memoryBytes: profile.memory.bytes.value - (profile.memory.reservedBytes?.value ?? 0),
    memoryBytesPerSecond: profile.memory.bytesPerSecond.value,
    ...(profile.achieved?.memoryBytesPerSecond === undefined
      ? {}
      : { achievedBytesPerSecond: profile.achieved.memoryBytesPerSecond.value }),
    scaleUp: resolveLink(profile.scaleUp, `${profile.id}.scaleUp`),
    scaleUpDomain: profile.scaleUpDomain.value,
    scaleOut: resolveLink(profile.scaleOut, `${profile.id}.scaleOut`),
    hostLink: resolveLink(profile.hostLink, `${profile.id}.hostLink`),
    powerW: profile.powerW?.value ?? null,
    idlePowerW: profile.idlePowerW?.value ?? null,
    usdPerHour: profile.usdPerHour?.value ?? null,
    efficiency,
    ...(kernels === undefined ? {} : { kernels }),
    ...(profile.served === undefined ? {} : { served: plain(profile.served) as Record<string, ServedKernels> }),
  };
}

/** The processor `id` of the catalogue, with sources; throws InvalidInputError where it is no processor. */
export function processorProfile(id: string, at: string): DeviceProfile {
  const file = own(deviceFiles, id);
  const profile = file === undefined ? undefined : parseDeviceProfile(file, `profiles/${id}.json`);
  if (profile?.kind === "cpu") return profile;
  const known = Object.entries(deviceFiles).flatMap(([name, { kind }]) => (kind === "cpu" ? [name] : []));
  refuse({ at, expected: `a processor: ${known.join(", ")}`, found: id });
}

/** The host processors of a system profile; throws InvalidInputError. */
function hostOf({ id, host }: SystemProfile): HostProcessors | undefined {
  if (host === undefined) return undefined;
  return { device: resolveDevice(processorProfile(host.processor, `${id}.host.processor`)), count: host.count.value };
}

/** The node of a system profile and its device; throws InvalidInputError. */
export function resolveNode(profile: SystemProfile, device: Device): Node {
  const kinds = profile.tiers.map(({ tier }, index) => tierProfile(tier, `${profile.id}.tiers.${index}.tier`).kind);
  const sorted = kinds.toSorted((a, b) => tierKindNames.indexOf(a) - tierKindNames.indexOf(b));
  if (kinds.some((kind, i) => kind !== sorted[i]))
    refuse({
      at: `${profile.id}.tiers`,
      expected: `tiers nearest first: ${sorted.join(", ")}`,
      found: kinds.join(", "),
    });
  const host = hostOf(profile);
  if (host !== undefined && (kinds[0] === undefined || tierKinds[kinds[0]].access === "disk"))
    refuse({ at: `${profile.id}.host`, expected: "no host: the system has no memory apart from its devices" });
  return {
    device,
    devicesPerNode: profile.devicesPerNode.value,
    ...(profile.hostRoots === undefined ? {} : { hostRoots: profile.hostRoots.value }),
    ...(profile.hostLinkDevices === undefined ? {} : { hostLinkDevices: profile.hostLinkDevices.value }),
    ...(host === undefined ? {} : { host }),
    tiers: profile.tiers.map(({ tier, bytes, units }, index): MemoryTier => {
      const found = tierProfile(tier, `${profile.id}.tiers.${index}.tier`);
      const read: Link = {
        name: found.name,
        bytesPerSecond: found.bytesPerSecond.value * (units?.value ?? 1),
        latencyNs: found.latencyNs.value,
        efficiency: found.efficiency.value,
      };
      return { id: found.id, kind: found.kind, bytes: bytes.value, read };
    }),
  };
}

function resolveLink(reference: string | LinkProfile | null, at: string): Link | null {
  if (reference === null) return null;
  const { name, bytesPerSecond, latencyNs, efficiency } = plain(linkProfile(reference, at));
  return { name, bytesPerSecond, latencyNs, efficiency };
}
