import a100Sxm from "./catalogue/devices/a100-sxm.json" with { type: "json" };
import ascend310pDuo from "./catalogue/devices/ascend-310p-duo.json" with { type: "json" };
import ascend910b from "./catalogue/devices/ascend-910b.json" with { type: "json" };
import b200Sxm from "./catalogue/devices/b200-sxm.json" with { type: "json" };
import b300Sxm from "./catalogue/devices/b300-sxm.json" with { type: "json" };
import gb200 from "./catalogue/devices/gb200.json" with { type: "json" };
import h100Sxm from "./catalogue/devices/h100-sxm.json" with { type: "json" };
import h200Sxm from "./catalogue/devices/h200-sxm.json" with { type: "json" };
import l40s from "./catalogue/devices/l40s.json" with { type: "json" };
import m2Ultra from "./catalogue/devices/m2-ultra.json" with { type: "json" };
import mi300x from "./catalogue/devices/mi300x.json" with { type: "json" };
import mi325x from "./catalogue/devices/mi325x.json" with { type: "json" };
import rtx4090 from "./catalogue/devices/rtx-4090.json" with { type: "json" };
import rtxA5000 from "./catalogue/devices/rtx-a5000.json" with { type: "json" };
import rtxPro6000 from "./catalogue/devices/rtx-pro-6000.json" with { type: "json" };
import ryzen7950x from "./catalogue/devices/ryzen-7950x.json" with { type: "json" };
import sn40l from "./catalogue/devices/sn40l.json" with { type: "json" };
import t4 from "./catalogue/devices/t4.json" with { type: "json" };
import xeon8470 from "./catalogue/devices/xeon-8470.json" with { type: "json" };
import efficiencyPresetsJson from "./catalogue/efficiency-presets.json" with { type: "json" };
import a100SxmKernels from "./catalogue/kernels/a100-sxm.json" with { type: "json" };
import b200SxmKernels from "./catalogue/kernels/b200-sxm.json" with { type: "json" };
import b300SxmKernels from "./catalogue/kernels/b300-sxm.json" with { type: "json" };
import gb200Kernels from "./catalogue/kernels/gb200.json" with { type: "json" };
import h100SxmKernels from "./catalogue/kernels/h100-sxm.json" with { type: "json" };
import h200SxmKernels from "./catalogue/kernels/h200-sxm.json" with { type: "json" };
import l40sKernels from "./catalogue/kernels/l40s.json" with { type: "json" };
import rtxPro6000Kernels from "./catalogue/kernels/rtx-pro-6000.json" with { type: "json" };
import linksJson from "./catalogue/links.json" with { type: "json" };
import a100Sxm8 from "./catalogue/systems/a100-sxm-8.json" with { type: "json" };
import a5000Desktop from "./catalogue/systems/a5000-desktop.json" with { type: "json" };
import ascend300iDuo from "./catalogue/systems/ascend-300i-duo.json" with { type: "json" };
import ascend800iA28 from "./catalogue/systems/ascend-800i-a2-8.json" with { type: "json" };
import b200Sxm8 from "./catalogue/systems/b200-sxm-8.json" with { type: "json" };
import b300Sxm8 from "./catalogue/systems/b300-sxm-8.json" with { type: "json" };
import gb200Nvl72 from "./catalogue/systems/gb200-nvl72.json" with { type: "json" };
import h100Sxm8 from "./catalogue/systems/h100-sxm-8.json" with { type: "json" };
import h200Sxm8 from "./catalogue/systems/h200-sxm-8.json" with { type: "json" };
import l40s8 from "./catalogue/systems/l40s-8.json" with { type: "json" };
import macM2Ultra from "./catalogue/systems/mac-m2-ultra.json" with { type: "json" };
import mi300x8 from "./catalogue/systems/mi300x-8.json" with { type: "json" };
import mi325x8 from "./catalogue/systems/mi325x-8.json" with { type: "json" };
import rtxPro60002 from "./catalogue/systems/rtx-pro-6000-2.json" with { type: "json" };
import rtx4090Desktop from "./catalogue/systems/rtx4090-desktop.json" with { type: "json" };
import ryzenDesktop from "./catalogue/systems/ryzen-desktop.json" with { type: "json" };
import sn40l16 from "./catalogue/systems/sn40l-16.json" with { type: "json" };
import t41 from "./catalogue/systems/t4-1.json" with { type: "json" };
import xeonAmx2s from "./catalogue/systems/xeon-amx-2s.json" with { type: "json" };
import tiersJson from "./catalogue/tiers.json" with { type: "json" };
import type { KernelMaps } from "./kernel-maps.ts";
import type { EfficiencyProfile, LinkProfile, TierProfile } from "./profile-schema.ts";
import { parseEfficiencyPresets, parseKernelMaps, parseLinks, parseTiers } from "./read-profiles.ts";

/** Device profiles by id, as their files give them: one line and one file each. */
export const deviceFiles = {
  "a100-sxm": a100Sxm,
  "h100-sxm": h100Sxm,
  "h200-sxm": h200Sxm,
  "b200-sxm": b200Sxm,
  "b300-sxm": b300Sxm,
  gb200: gb200,
  l40s: l40s,
  "rtx-4090": rtx4090,
  "rtx-pro-6000": rtxPro6000,
  "rtx-a5000": rtxA5000,
  t4: t4,
  mi300x: mi300x,
  mi325x: mi325x,
  "ascend-910b": ascend910b,
  "ascend-310p-duo": ascend310pDuo,
  sn40l: sn40l,
  "xeon-8470": xeon8470,
  "ryzen-7950x": ryzen7950x,
  "m2-ultra": m2Ultra,
} satisfies Record<string, unknown>;

/** System profiles by id. A system is a node: its devices, its host and its memory tiers. */
export const systemFiles = {
  "a100-sxm-8": a100Sxm8,
  "h100-sxm-8": h100Sxm8,
  "h200-sxm-8": h200Sxm8,
  "b200-sxm-8": b200Sxm8,
  "b300-sxm-8": b300Sxm8,
  "gb200-nvl72": gb200Nvl72,
  "l40s-8": l40s8,
  "rtx4090-desktop": rtx4090Desktop,
  "rtx-pro-6000-2": rtxPro60002,
  "a5000-desktop": a5000Desktop,
  "t4-1": t41,
  "mi300x-8": mi300x8,
  "mi325x-8": mi325x8,
  "ascend-800i-a2-8": ascend800iA28,
  "ascend-300i-duo": ascend300iDuo,
  "sn40l-16": sn40l16,
  "xeon-amx-2s": xeonAmx2s,
  "ryzen-desktop": ryzenDesktop,
  "mac-m2-ultra": macM2Ultra,
} satisfies Record<string, unknown>;

/** Maps of measured kernels by the id of the device they were measured on. */
const kernelFiles: Readonly<Record<string, unknown>> = {
  "a100-sxm": a100SxmKernels,
  "b200-sxm": b200SxmKernels,
  "b300-sxm": b300SxmKernels,
  gb200: gb200Kernels,
  "h100-sxm": h100SxmKernels,
  "h200-sxm": h200SxmKernels,
  l40s: l40sKernels,
  "rtx-pro-6000": rtxPro6000Kernels,
};

const parsedKernels = new Map<string, KernelMaps>();

/** The kernel maps of a device, read at their first use; undefined where there are none. */
export function kernelMaps(id: string): KernelMaps | undefined {
  const kept = parsedKernels.get(id);
  if (kept !== undefined || !Object.hasOwn(kernelFiles, id)) return kept;
  const maps = parseKernelMaps(kernelFiles[id], `kernels/${id}.json`);
  parsedKernels.set(id, maps);
  return maps;
}

/** Links that profiles refer to by id. */
export const links = once((): LinkProfile[] => parseLinks(linksJson, "links.json"));

/** Memory tiers that systems refer to by id. */
export const tiers = once((): TierProfile[] => parseTiers(tiersJson, "tiers.json"));

/** Efficiency numbers by class of device. Profiles start from them. */
export const efficiencyPresets = once(
  (): Record<string, EfficiencyProfile> => parseEfficiencyPresets(efficiencyPresetsJson, "efficiency-presets.json"),
);

/** Reads a table at its first use and keeps it. */
function once<T>(read: () => T): () => T {
  let kept: T | undefined;
  return () => {
    kept ??= read();
    return kept;
  };
}
