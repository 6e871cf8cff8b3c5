import a100Pcie from "./catalogue/devices/a100-pcie.json" with { type: "json" };
import a100Pcie40gb from "./catalogue/devices/a100-pcie-40gb.json" with { type: "json" };
import a100Sxm from "./catalogue/devices/a100-sxm.json" with { type: "json" };
import a100Sxm40gb from "./catalogue/devices/a100-sxm-40gb.json" with { type: "json" };
import ascend310pDuo from "./catalogue/devices/ascend-310p-duo.json" with { type: "json" };
import ascend910b from "./catalogue/devices/ascend-910b.json" with { type: "json" };
import ascend910c from "./catalogue/devices/ascend-910c.json" with { type: "json" };
import b200Sxm from "./catalogue/devices/b200-sxm.json" with { type: "json" };
import b300Sxm from "./catalogue/devices/b300-sxm.json" with { type: "json" };
import desktopDdr4 from "./catalogue/devices/desktop-ddr4.json" with { type: "json" };
import epyc7742 from "./catalogue/devices/epyc-7742.json" with { type: "json" };
import epyc9654 from "./catalogue/devices/epyc-9654.json" with { type: "json" };
import gaudi3 from "./catalogue/devices/gaudi-3.json" with { type: "json" };
import gb10 from "./catalogue/devices/gb10.json" with { type: "json" };
import gb200 from "./catalogue/devices/gb200.json" with { type: "json" };
import gb300 from "./catalogue/devices/gb300.json" with { type: "json" };
import grace from "./catalogue/devices/grace.json" with { type: "json" };
import h20 from "./catalogue/devices/h20.json" with { type: "json" };
import h100Nvl from "./catalogue/devices/h100-nvl.json" with { type: "json" };
import h100Pcie from "./catalogue/devices/h100-pcie.json" with { type: "json" };
import h100Sxm from "./catalogue/devices/h100-sxm.json" with { type: "json" };
import h200Sxm from "./catalogue/devices/h200-sxm.json" with { type: "json" };
import h800 from "./catalogue/devices/h800.json" with { type: "json" };
import l40s from "./catalogue/devices/l40s.json" with { type: "json" };
import m1Max from "./catalogue/devices/m1-max.json" with { type: "json" };
import m1Pro from "./catalogue/devices/m1-pro.json" with { type: "json" };
import m1Ultra from "./catalogue/devices/m1-ultra.json" with { type: "json" };
import m2Max from "./catalogue/devices/m2-max.json" with { type: "json" };
import m2Pro from "./catalogue/devices/m2-pro.json" with { type: "json" };
import m2Ultra from "./catalogue/devices/m2-ultra.json" with { type: "json" };
import m2Ultra76 from "./catalogue/devices/m2-ultra-76.json" with { type: "json" };
import m3Max from "./catalogue/devices/m3-max.json" with { type: "json" };
import m3Max30 from "./catalogue/devices/m3-max-30.json" with { type: "json" };
import m3Pro from "./catalogue/devices/m3-pro.json" with { type: "json" };
import m3Ultra from "./catalogue/devices/m3-ultra.json" with { type: "json" };
import m4Max from "./catalogue/devices/m4-max.json" with { type: "json" };
import m4Max32 from "./catalogue/devices/m4-max-32.json" with { type: "json" };
import m4Pro from "./catalogue/devices/m4-pro.json" with { type: "json" };
import m5Max from "./catalogue/devices/m5-max.json" with { type: "json" };
import m5Pro from "./catalogue/devices/m5-pro.json" with { type: "json" };
import mi300x from "./catalogue/devices/mi300x.json" with { type: "json" };
import mi325x from "./catalogue/devices/mi325x.json" with { type: "json" };
import mi355x from "./catalogue/devices/mi355x.json" with { type: "json" };
import rtx3060 from "./catalogue/devices/rtx-3060.json" with { type: "json" };
import rtx3090 from "./catalogue/devices/rtx-3090.json" with { type: "json" };
import rtx4070 from "./catalogue/devices/rtx-4070.json" with { type: "json" };
import rtx4080 from "./catalogue/devices/rtx-4080.json" with { type: "json" };
import rtx4090 from "./catalogue/devices/rtx-4090.json" with { type: "json" };
import rtx5090 from "./catalogue/devices/rtx-5090.json" with { type: "json" };
import rtxA5000 from "./catalogue/devices/rtx-a5000.json" with { type: "json" };
import rtxA6000 from "./catalogue/devices/rtx-a6000.json" with { type: "json" };
import rtxPro6000 from "./catalogue/devices/rtx-pro-6000.json" with { type: "json" };
import ryzen7950x from "./catalogue/devices/ryzen-7950x.json" with { type: "json" };
import ryzen9950x from "./catalogue/devices/ryzen-9950x.json" with { type: "json" };
import ryzenAiMax395 from "./catalogue/devices/ryzen-ai-max-395.json" with { type: "json" };
import sn40l from "./catalogue/devices/sn40l.json" with { type: "json" };
import t4 from "./catalogue/devices/t4.json" with { type: "json" };
import tpuV6e from "./catalogue/devices/tpu-v6e.json" with { type: "json" };
import tpuV7x from "./catalogue/devices/tpu-v7x.json" with { type: "json" };
import xeon6454s from "./catalogue/devices/xeon-6454s.json" with { type: "json" };
import xeon8470 from "./catalogue/devices/xeon-8470.json" with { type: "json" };
import xeon8570 from "./catalogue/devices/xeon-8570.json" with { type: "json" };
import efficiencyPresetsJson from "./catalogue/efficiency-presets.json" with { type: "json" };
import a100SxmKernels from "./catalogue/kernels/a100-sxm.json" with { type: "json" };
import b200SxmKernels from "./catalogue/kernels/b200-sxm.json" with { type: "json" };
import b300SxmKernels from "./catalogue/kernels/b300-sxm.json" with { type: "json" };
import gb200Kernels from "./catalogue/kernels/gb200.json" with { type: "json" };
import gb300Kernels from "./catalogue/kernels/gb300.json" with { type: "json" };
import h100SxmKernels from "./catalogue/kernels/h100-sxm.json" with { type: "json" };
import h200SxmKernels from "./catalogue/kernels/h200-sxm.json" with { type: "json" };
import l40sKernels from "./catalogue/kernels/l40s.json" with { type: "json" };
import rtxPro6000Kernels from "./catalogue/kernels/rtx-pro-6000.json" with { type: "json" };
import linksJson from "./catalogue/links.json" with { type: "json" };
import a100Pcie8 from "./catalogue/systems/a100-pcie-8.json" with { type: "json" };
import a100Pcie40gb8 from "./catalogue/systems/a100-pcie-40gb-8.json" with { type: "json" };
import a100Sxm8 from "./catalogue/systems/a100-sxm-8.json" with { type: "json" };
import a100Sxm40gb8 from "./catalogue/systems/a100-sxm-40gb-8.json" with { type: "json" };
import a5000Desktop from "./catalogue/systems/a5000-desktop.json" with { type: "json" };
import a6000Desktop from "./catalogue/systems/a6000-desktop.json" with { type: "json" };
import ascend300iDuo from "./catalogue/systems/ascend-300i-duo.json" with { type: "json" };
import ascend800iA28 from "./catalogue/systems/ascend-800i-a2-8.json" with { type: "json" };
import b200Sxm8 from "./catalogue/systems/b200-sxm-8.json" with { type: "json" };
import b300Sxm8 from "./catalogue/systems/b300-sxm-8.json" with { type: "json" };
import cloudmatrix384 from "./catalogue/systems/cloudmatrix-384.json" with { type: "json" };
import dgxSpark from "./catalogue/systems/dgx-spark.json" with { type: "json" };
import gaudi38 from "./catalogue/systems/gaudi-3-8.json" with { type: "json" };
import gb200Nvl72 from "./catalogue/systems/gb200-nvl72.json" with { type: "json" };
import gb300Nvl72 from "./catalogue/systems/gb300-nvl72.json" with { type: "json" };
import h208 from "./catalogue/systems/h20-8.json" with { type: "json" };
import h100Nvl2 from "./catalogue/systems/h100-nvl-2.json" with { type: "json" };
import h100Pcie8 from "./catalogue/systems/h100-pcie-8.json" with { type: "json" };
import h100Sxm8 from "./catalogue/systems/h100-sxm-8.json" with { type: "json" };
import h200Sxm8 from "./catalogue/systems/h200-sxm-8.json" with { type: "json" };
import h8008 from "./catalogue/systems/h800-8.json" with { type: "json" };
import l40s8 from "./catalogue/systems/l40s-8.json" with { type: "json" };
import macM1Max from "./catalogue/systems/mac-m1-max.json" with { type: "json" };
import macM1Pro from "./catalogue/systems/mac-m1-pro.json" with { type: "json" };
import macM1Ultra from "./catalogue/systems/mac-m1-ultra.json" with { type: "json" };
import macM2Max from "./catalogue/systems/mac-m2-max.json" with { type: "json" };
import macM2Pro from "./catalogue/systems/mac-m2-pro.json" with { type: "json" };
import macM2Ultra from "./catalogue/systems/mac-m2-ultra.json" with { type: "json" };
import macM2Ultra76 from "./catalogue/systems/mac-m2-ultra-76.json" with { type: "json" };
import macM3Max from "./catalogue/systems/mac-m3-max.json" with { type: "json" };
import macM3Max30 from "./catalogue/systems/mac-m3-max-30.json" with { type: "json" };
import macM3Pro from "./catalogue/systems/mac-m3-pro.json" with { type: "json" };
import macM3Ultra from "./catalogue/systems/mac-m3-ultra.json" with { type: "json" };
import macM4Max from "./catalogue/systems/mac-m4-max.json" with { type: "json" };
import macM4Max32 from "./catalogue/systems/mac-m4-max-32.json" with { type: "json" };
import macM4Pro from "./catalogue/systems/mac-m4-pro.json" with { type: "json" };
import macM5Max from "./catalogue/systems/mac-m5-max.json" with { type: "json" };
import macM5Pro from "./catalogue/systems/mac-m5-pro.json" with { type: "json" };
import mi300x8 from "./catalogue/systems/mi300x-8.json" with { type: "json" };
import mi325x8 from "./catalogue/systems/mi325x-8.json" with { type: "json" };
import mi355x8 from "./catalogue/systems/mi355x-8.json" with { type: "json" };
import rtxPro60002 from "./catalogue/systems/rtx-pro-6000-2.json" with { type: "json" };
import rtx3060Desktop from "./catalogue/systems/rtx3060-desktop.json" with { type: "json" };
import rtx3090Desktop from "./catalogue/systems/rtx3090-desktop.json" with { type: "json" };
import rtx4070Desktop from "./catalogue/systems/rtx4070-desktop.json" with { type: "json" };
import rtx4080Desktop from "./catalogue/systems/rtx4080-desktop.json" with { type: "json" };
import rtx4090Desktop from "./catalogue/systems/rtx4090-desktop.json" with { type: "json" };
import rtx4090Xeon2s from "./catalogue/systems/rtx4090-xeon-2s.json" with { type: "json" };
import rtx5090Desktop from "./catalogue/systems/rtx5090-desktop.json" with { type: "json" };
import ryzenDesktop from "./catalogue/systems/ryzen-desktop.json" with { type: "json" };
import sn40l16 from "./catalogue/systems/sn40l-16.json" with { type: "json" };
import strixHalo from "./catalogue/systems/strix-halo.json" with { type: "json" };
import t41 from "./catalogue/systems/t4-1.json" with { type: "json" };
import tpuV6e8 from "./catalogue/systems/tpu-v6e-8.json" with { type: "json" };
import tpuV7x4 from "./catalogue/systems/tpu-v7x-4.json" with { type: "json" };
import xeonAmx2s from "./catalogue/systems/xeon-amx-2s.json" with { type: "json" };
import tiersJson from "./catalogue/tiers.json" with { type: "json" };
import type { KernelMaps } from "./kernel-maps.ts";
import type { EfficiencyProfile, LinkProfile, TierProfile } from "./profile-schema.ts";
import { parseEfficiencyPresets, parseKernelMaps, parseLinks, parseTiers } from "./read-profiles.ts";

/** Device profiles by id, as their files give them: one line and one file each. */
export const deviceFiles = {
  "a100-sxm": a100Sxm,
  "a100-sxm-40gb": a100Sxm40gb,
  "a100-pcie": a100Pcie,
  "a100-pcie-40gb": a100Pcie40gb,
  "h100-sxm": h100Sxm,
  "h100-pcie": h100Pcie,
  "h100-nvl": h100Nvl,
  h800: h800,
  "h200-sxm": h200Sxm,
  h20: h20,
  "b200-sxm": b200Sxm,
  "b300-sxm": b300Sxm,
  gb200: gb200,
  gb300: gb300,
  l40s: l40s,
  "rtx-3060": rtx3060,
  "rtx-3090": rtx3090,
  "rtx-4090": rtx4090,
  "rtx-4080": rtx4080,
  "rtx-4070": rtx4070,
  "rtx-5090": rtx5090,
  "rtx-pro-6000": rtxPro6000,
  "rtx-a5000": rtxA5000,
  "rtx-a6000": rtxA6000,
  gb10: gb10,
  t4: t4,
  mi300x: mi300x,
  mi325x: mi325x,
  mi355x: mi355x,
  "ryzen-ai-max-395": ryzenAiMax395,
  "gaudi-3": gaudi3,
  "tpu-v6e": tpuV6e,
  "tpu-v7x": tpuV7x,
  "ascend-910b": ascend910b,
  "ascend-910c": ascend910c,
  "ascend-310p-duo": ascend310pDuo,
  sn40l: sn40l,
  "xeon-6454s": xeon6454s,
  "xeon-8470": xeon8470,
  "xeon-8570": xeon8570,
  "epyc-7742": epyc7742,
  "epyc-9654": epyc9654,
  grace: grace,
  "ryzen-7950x": ryzen7950x,
  "ryzen-9950x": ryzen9950x,
  "desktop-ddr4": desktopDdr4,
  "m1-pro": m1Pro,
  "m1-max": m1Max,
  "m1-ultra": m1Ultra,
  "m2-pro": m2Pro,
  "m2-max": m2Max,
  "m2-ultra": m2Ultra,
  "m2-ultra-76": m2Ultra76,
  "m3-pro": m3Pro,
  "m3-max-30": m3Max30,
  "m3-max": m3Max,
  "m3-ultra": m3Ultra,
  "m4-pro": m4Pro,
  "m4-max-32": m4Max32,
  "m4-max": m4Max,
  "m5-pro": m5Pro,
  "m5-max": m5Max,
} satisfies Record<string, unknown>;

/** System profiles by id. A system is a node: its devices, its host and its memory tiers. */
export const systemFiles = {
  "a100-sxm-8": a100Sxm8,
  "a100-sxm-40gb-8": a100Sxm40gb8,
  "a100-pcie-8": a100Pcie8,
  "a100-pcie-40gb-8": a100Pcie40gb8,
  "h100-sxm-8": h100Sxm8,
  "h100-pcie-8": h100Pcie8,
  "h100-nvl-2": h100Nvl2,
  "h800-8": h8008,
  "h200-sxm-8": h200Sxm8,
  "h20-8": h208,
  "b200-sxm-8": b200Sxm8,
  "b300-sxm-8": b300Sxm8,
  "gb200-nvl72": gb200Nvl72,
  "gb300-nvl72": gb300Nvl72,
  "l40s-8": l40s8,
  "rtx3060-desktop": rtx3060Desktop,
  "rtx3090-desktop": rtx3090Desktop,
  "rtx4090-desktop": rtx4090Desktop,
  "rtx4080-desktop": rtx4080Desktop,
  "rtx4070-desktop": rtx4070Desktop,
  "rtx5090-desktop": rtx5090Desktop,
  "rtx4090-xeon-2s": rtx4090Xeon2s,
  "rtx-pro-6000-2": rtxPro60002,
  "a5000-desktop": a5000Desktop,
  "a6000-desktop": a6000Desktop,
  "dgx-spark": dgxSpark,
  "t4-1": t41,
  "mi300x-8": mi300x8,
  "mi325x-8": mi325x8,
  "mi355x-8": mi355x8,
  "strix-halo": strixHalo,
  "gaudi-3-8": gaudi38,
  "tpu-v6e-8": tpuV6e8,
  "tpu-v7x-4": tpuV7x4,
  "ascend-800i-a2-8": ascend800iA28,
  "cloudmatrix-384": cloudmatrix384,
  "ascend-300i-duo": ascend300iDuo,
  "sn40l-16": sn40l16,
  "xeon-amx-2s": xeonAmx2s,
  "ryzen-desktop": ryzenDesktop,
  "mac-m1-pro": macM1Pro,
  "mac-m1-max": macM1Max,
  "mac-m1-ultra": macM1Ultra,
  "mac-m2-pro": macM2Pro,
  "mac-m2-max": macM2Max,
  "mac-m2-ultra": macM2Ultra,
  "mac-m2-ultra-76": macM2Ultra76,
  "mac-m3-pro": macM3Pro,
  "mac-m3-max-30": macM3Max30,
  "mac-m3-max": macM3Max,
  "mac-m3-ultra": macM3Ultra,
  "mac-m4-pro": macM4Pro,
  "mac-m4-max-32": macM4Max32,
  "mac-m4-max": macM4Max,
  "mac-m5-pro": macM5Pro,
  "mac-m5-max": macM5Max,
} satisfies Record<string, unknown>;

/** Maps of measured kernels by the id of the device they were measured on. */
const kernelFiles: Readonly<Record<string, unknown>> = {
  "a100-sxm": a100SxmKernels,
  "b200-sxm": b200SxmKernels,
  "b300-sxm": b300SxmKernels,
  gb200: gb200Kernels,
  gb300: gb300Kernels,
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
